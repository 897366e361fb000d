// Where the point lies on the mean face, normalised.
#version 430
in vec3 mean_position;
out vec4 colour;

void main() {
    cut();
    colour = vec4(mean_position, 1);
}
