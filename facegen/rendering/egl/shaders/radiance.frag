// Linear light: radiance.
#version 430
out vec4 colour;

void main() {
    cut();
    Light light = lighted();
    vec3 scattered = light.albedo * light.shading;
    colour = clear() ? vec4(light.specular, 0) : vec4(scattered + light.specular, COVERAGE);
}
