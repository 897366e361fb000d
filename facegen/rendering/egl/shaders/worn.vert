// What people wear, each triangle into its owner's tile of the strip.
#version 430
struct Face { mat4 to_clip; mat4 to_camera; vec4 illumination[9]; };
struct Vertex { float position[3]; float normal[3]; float colour[3]; float strand[3]; };
layout(std430, binding = 4) readonly buffer Faces { Face faces[]; };
layout(std430, binding = 6) readonly buffer Worn { Vertex worn[]; };
layout(std430, binding = 7) readonly buffer Triangles { uvec4 triangles[]; };
uniform int tiles;
out vec3 normal;
out vec3 albedo;
out vec3 mean_position;
out float depth;
out float lock;
noperspective out vec2 strand;
flat out int face;
flat out uint material;
flat out uint part;
out float gl_ClipDistance[4];

void main() {
    uvec4 triangle = triangles[gl_VertexID / 3];
    Vertex vertex = worn[triangle[gl_VertexID % 3]];
    face = int(triangle.w & 0xFFFFu);
    material = (triangle.w >> 16) & 0xFFu;
    part = triangle.w >> 24;
    vec4 position = vec4(vertex.position[0], vertex.position[1], vertex.position[2], 1);
    mat4 to_camera = faces[face].to_camera;
    vec4 clip = faces[face].to_clip * position;
    gl_ClipDistance[0] = clip.w - clip.x;
    gl_ClipDistance[1] = clip.w + clip.x;
    gl_ClipDistance[2] = clip.w - clip.y;
    gl_ClipDistance[3] = clip.w + clip.y;
    clip.y = (clip.y + clip.w * float(2 * face + 1)) / float(tiles) - clip.w;
    gl_Position = clip;
    normal = mat3(to_camera) * vec3(vertex.normal[0], vertex.normal[1], vertex.normal[2]);
    albedo = vec3(vertex.colour[0], vertex.colour[1], vertex.colour[2]);
    mean_position = vec3(0);
    depth = -(to_camera * position).z;
    lock = vertex.strand[0];
    strand = vec2(vertex.strand[0], vertex.strand[2]);
}
