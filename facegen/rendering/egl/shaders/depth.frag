// Distance along the view axis in millimetres.
#version 430
in float depth;
out float distance_mm;

void main() {
    cut();
    distance_mm = depth;
}
