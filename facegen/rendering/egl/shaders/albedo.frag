// The reflectance before light.
#version 430
in vec3 albedo;
out vec4 colour;

void main() {
    cut();
    colour = vec4(clamp(combed(albedo), 0, 1), 1);
}
