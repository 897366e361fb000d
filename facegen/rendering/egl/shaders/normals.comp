// A vertex's normal: the sum of the cross products of the faces around it, whose length is twice their area.
#version 430
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer Positions { float positions[]; };
layout(std430, binding = 1) readonly buffer Starts { int starts[]; };
layout(std430, binding = 2) readonly buffer Corners { ivec2 corners[]; };
layout(std430, binding = 3) writeonly buffer Normals { float normals[]; };
uniform int vertices;

vec3 position(int vertex) {
    int at = 3 * (int(gl_GlobalInvocationID.y) * vertices + vertex);
    return vec3(positions[at], positions[at + 1], positions[at + 2]);
}

void main() {
    int vertex = int(gl_GlobalInvocationID.x);
    if (vertex >= vertices) return;
    vec3 here = position(vertex), sum = vec3(0);
    for (int i = starts[vertex]; i < starts[vertex + 1]; ++i)
        sum += cross(position(corners[i].x) - here, position(corners[i].y) - here);
    int at = 3 * (int(gl_GlobalInvocationID.y) * vertices + vertex);
    vec3 normal = sum / max(length(sum), 1e-20);
    normals[at] = normal.x;
    normals[at + 1] = normal.y;
    normals[at + 2] = normal.z;
}
