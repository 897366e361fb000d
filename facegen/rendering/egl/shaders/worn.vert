// What people wear, each triangle into its owner's tile of the strip.
#version 430
struct Vertex { float position[3]; float normal[3]; float colour[3]; float strand[3]; float tangent[3]; };
layout(std430, binding = 6) readonly buffer Worn { Vertex worn[]; };
layout(std430, binding = 7) readonly buffer Triangles { uvec4 triangles[]; };
out vec3 normal;
out vec3 albedo;
out vec3 mean_position;
out vec3 kept_off;
out vec3 tangent;
out float lock;
noperspective out vec2 strand;
flat out uint material;
flat out uint part;

void main() {
    uvec4 triangle = triangles[gl_VertexID / 3];
    Vertex vertex = worn[triangle[gl_VertexID % 3]];
    int owner = int(triangle.w & 0xFFFFu);
    material = (triangle.w >> 16) & 0xFFu;
    part = triangle.w >> 24;
    place(owner, vec4(vertex.position[0], vertex.position[1], vertex.position[2], 1));
    mat3 turn = mat3(faces[owner].to_camera);
    normal = turn * vec3(vertex.normal[0], vertex.normal[1], vertex.normal[2]);
    tangent = turn * vec3(vertex.tangent[0], vertex.tangent[1], vertex.tangent[2]);
    albedo = vec3(vertex.colour[0], vertex.colour[1], vertex.colour[2]);
    mean_position = vec3(0);
    kept_off = vec3(0);
    lock = vertex.strand[0];
    strand = vec2(vertex.strand[0], vertex.strand[2]);
}
