// The reflectance before light.
#version 430
in vec3 albedo;
out vec4 colour;

void main() { colour = vec4(clamp(albedo, 0, 1), 1); }
