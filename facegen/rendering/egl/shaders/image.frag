// Reflectance times irradiance at the pixel's own normal; alpha tells the face from what is worn.
#version 430
out vec4 colour;

void main() {
    cut();
    vec3 n = normalize(normal);
    colour = vec4(clamp(combed(albedo) * irradiance(n), 0, 1), COVERAGE);
}
