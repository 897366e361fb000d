// The label of the triangle.
#version 430
out float segment;

void main() {
    cut();
    segment = label();
}
