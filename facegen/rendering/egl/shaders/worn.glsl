// What differs between the face and what is worn: strands have holes and tones, lenses are clear.
#ifdef WORN
in float lock;
noperspective in vec2 strand;
flat in uint material;
flat in uint part;
const float COVERAGE = 128.0 / 255.0;

float hashed(uint i) {
    uint x = i * 0x9E3779B1u;
    x = (x ^ (x >> 15)) * 0x85EBCA77u;
    x = x ^ (x >> 13);
    return float(x >> 8) * (1.0 / 16777216.0);
}

float noise(float s) {
    float below = floor(s), f = s - below;
    uint i = uint(int(below));
    return mix(hashed(i), hashed(i + 1u), f * f * (3.0 - 2.0 * f));
}

bool clear() { return material == 3u; }

void cut() { if (material == 1u && noise(strand.x) >= strand.y) discard; }

vec3 combed(vec3 colour) {
    return material == 1u ? colour * (0.72 + 0.56 * noise(0.61 * lock)) : colour;
}

float label() { return float(part) / 255.0; }

uint finish_row() { return MATERIALS + material; }

in vec3 tangent;

vec3 gleam(vec3 n, vec3 v, vec3 key, vec3 tint) {
    vec3 h = key + v;
    float cosine = dot(tangent, h), square = max(dot(tangent, tangent) * dot(h, h), 1e-12);
    float x = pow(max(1 - cosine * cosine / square, 0), 8);
    float lit = max(dot(n, key) + HAIR_WRAP, 0);
    return lit * (HAIR_FIRST * pow(x, 4) + HAIR_SECOND * x * tint);
}
#else
layout(std430, binding = 5) readonly buffer Parts { uint parts[]; };
const float COVERAGE = 1.0;
void cut() {}
bool clear() { return false; }
vec3 combed(vec3 colour) { return colour; }
float label() { return float(parts[gl_PrimitiveID]) / 255.0; }
uint finish_row() { return parts[gl_PrimitiveID]; }
uniform bool lit;
#endif
