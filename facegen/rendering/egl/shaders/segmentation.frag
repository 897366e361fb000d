// The label of the triangle.
#version 430
layout(std430, binding = 5) readonly buffer Parts { uint parts[]; };
out float label;

void main() { label = float(parts[gl_PrimitiveID]) / 255; }
