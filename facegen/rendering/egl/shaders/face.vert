// Face gl_InstanceID into its tile of the strip.
#version 430
layout(std430, binding = 0) readonly buffer Positions { float positions[]; };
layout(std430, binding = 1) readonly buffer Normals { float normals[]; };
layout(std430, binding = 2) readonly buffer Reflectance { float reflectance[]; };
layout(std430, binding = 3) readonly buffer Mean { float mean[]; };
layout(std430, binding = 8) readonly buffer Transfer { float transfer[]; };
uniform int vertices;
uniform bool lit;
out vec3 normal;
out vec3 albedo;
out vec3 mean_position;
out vec3 kept_off;

void main() {
    int at = 3 * (gl_InstanceID * vertices + gl_VertexID);
    place(gl_InstanceID, vec4(positions[at], positions[at + 1], positions[at + 2], 1));
    mat4 to_camera = faces[gl_InstanceID].to_camera;
    normal = mat3(to_camera) * vec3(normals[at], normals[at + 1], normals[at + 2]);
    albedo = vec3(reflectance[at], reflectance[at + 1], reflectance[at + 2]);
    mean_position = vec3(mean[3 * gl_VertexID], mean[3 * gl_VertexID + 1], mean[3 * gl_VertexID + 2]);
    kept_off = vec3(0);
    if (lit)
        for (int i = 0; i < 9; ++i)
            kept_off += transfer[9 * gl_VertexID + i] * faces[gl_InstanceID].local[i].rgb;
}
