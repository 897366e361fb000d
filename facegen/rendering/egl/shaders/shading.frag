// Linear light: shading.
#version 430
out vec4 colour;

void main() {
    cut();
    Light light = lighted();
    colour = vec4(light.shading, 1);
}
