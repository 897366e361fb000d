// The unit normal in eye space, from [-1, 1] to [0, 1].
#version 430
in vec3 normal;
out vec4 colour;

void main() {
    cut();
    colour = vec4(0.5 * normalize(normal) + 0.5, 1);
}
