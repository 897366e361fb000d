// Linear light: specular.
#version 430
out vec4 colour;

void main() {
    cut();
    Light light = lighted();
    colour = vec4(light.specular, clear() ? 0 : 1);
}
