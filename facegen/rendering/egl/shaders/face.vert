// Face gl_InstanceID into its tile of the strip; the clip distances keep it inside.
#version 430
struct Face { mat4 to_clip; mat4 to_camera; vec4 illumination[9]; };
layout(std430, binding = 0) readonly buffer Positions { float positions[]; };
layout(std430, binding = 1) readonly buffer Normals { float normals[]; };
layout(std430, binding = 2) readonly buffer Reflectance { float reflectance[]; };
layout(std430, binding = 3) readonly buffer Mean { float mean[]; };
layout(std430, binding = 4) readonly buffer Faces { Face faces[]; };
uniform int vertices;
uniform int tiles;
out vec3 normal;
out vec3 albedo;
out vec3 mean_position;
out float depth;
flat out int face;
out float gl_ClipDistance[4];

void main() {
    int at = 3 * (gl_InstanceID * vertices + gl_VertexID);
    vec4 position = vec4(positions[at], positions[at + 1], positions[at + 2], 1);
    mat4 to_camera = faces[gl_InstanceID].to_camera;
    vec4 clip = faces[gl_InstanceID].to_clip * position;
    gl_ClipDistance[0] = clip.w - clip.x;
    gl_ClipDistance[1] = clip.w + clip.x;
    gl_ClipDistance[2] = clip.w - clip.y;
    gl_ClipDistance[3] = clip.w + clip.y;
    clip.y = (clip.y + clip.w * float(2 * gl_InstanceID + 1)) / float(tiles) - clip.w;
    gl_Position = clip;
    normal = mat3(to_camera) * vec3(normals[at], normals[at + 1], normals[at + 2]);
    albedo = vec3(reflectance[at], reflectance[at + 1], reflectance[at + 2]);
    mean_position = vec3(mean[3 * gl_VertexID], mean[3 * gl_VertexID + 1], mean[3 * gl_VertexID + 2]);
    depth = -(to_camera * position).z;
    face = gl_InstanceID;
}
