// Reflectance times irradiance, nine spherical harmonics at the pixel's own normal; alpha tells the face from what is worn.
#version 430
struct Face { mat4 to_clip; mat4 to_camera; vec4 illumination[9]; };
layout(std430, binding = 4) readonly buffer Faces { Face faces[]; };
in vec3 normal;
in vec3 albedo;
flat in int face;
out vec4 colour;

void main() {
    cut();
    vec3 n = normalize(normal);
    float h[9] = float[9](
        0.886227, 1.023328 * n.y, 1.023328 * n.z, 1.023328 * n.x,
        0.858086 * n.x * n.y, 0.858086 * n.y * n.z, 0.247708 * (3 * n.z * n.z - 1),
        0.858086 * n.x * n.z, 0.429043 * (n.x * n.x - n.y * n.y));
    vec3 irradiance = vec3(0);
    for (int i = 0; i < 9; ++i) irradiance += h[i] * faces[face].illumination[i].rgb;
    colour = vec4(clamp(combed(albedo) * irradiance, 0, 1), COVERAGE);
}
