// values = mean + coefficients . basis, sixteen faces to an invocation: each basis value is read once for all.
#version 430
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer Mean { float mean[]; };
layout(std430, binding = 1) readonly buffer Basis { float basis[]; };
layout(std430, binding = 2) writeonly buffer Values { float values[]; };
layout(std140, binding = 0) uniform Coefficients { mat4 coefficients[COMPONENTS]; };
uniform int width;
uniform int first;

void main() {
    int column = int(gl_GlobalInvocationID.x);
    if (column >= width) return;
    float start = mean[column];
    mat4 sums = mat4(vec4(start), vec4(start), vec4(start), vec4(start));
    for (int k = 0; k < COMPONENTS; ++k) sums += coefficients[k] * basis[k * width + column];
    for (int face = 0; face < 16; ++face)
        values[(first + face) * width + column] = sums[face / 4][face % 4];
}
