// Irradiance of nine spherical harmonics, and what glossy surfaces reflect of them.
in vec3 normal;
in vec3 albedo;
in vec3 kept_off;
in vec3 seen_at;
flat in int face;
uniform float highlights;

void harmonics(vec3 n, out float h[9]) {
    h = float[9](
        0.886227, 1.023328 * n.y, 1.023328 * n.z, 1.023328 * n.x,
        0.858086 * n.x * n.y, 0.858086 * n.y * n.z, 0.247708 * (3 * n.z * n.z - 1),
        0.858086 * n.x * n.z, 0.429043 * (n.x * n.x - n.y * n.y));
}

vec3 irradiance(vec3 n) {
    float h[9];
    harmonics(n, h);
    vec3 sum = vec3(0);
    for (int i = 0; i < 9; ++i) sum += h[i] * faces[face].illumination[i].rgb;
    return sum;
}

vec3 linear(vec3 encoded) {
    vec3 x = clamp(encoded, 0, 1);
    vec3 sum = vec3(0);
    for (int i = 0; i < 6; ++i) sum = sum * x + TO_LINEAR[i];
    return sum;
}

vec3 mirrored(vec3 r) {
    float h[9];
    harmonics(r, h);
    vec3 sum = h[0] * faces[face].illumination[0].rgb;
    for (int i = 1; i < 4; ++i) sum += BROAD_LINEAR * h[i] * faces[face].illumination[i].rgb;
    for (int i = 4; i < 9; ++i) sum += BROAD_SQUARE * h[i] * faces[face].illumination[i].rgb;
    return max(sum, 0);
}

struct Light { vec3 albedo; vec3 shading; vec3 specular; };

Light lighted() {
    vec3 v = normalize(-seen_at), n = normalize(normal);
    if (clear() && dot(n, v) < 0) n = -n;
    vec3 key = faces[face].key[0].xyz, colour = faces[face].key[1].rgb;
    vec3 whole = irradiance(n);
    vec3 least = LEAST_LIGHT * 0.886227 * faces[face].illumination[0].rgb;
    Light light = Light(linear(combed(albedo)), max(whole, least), vec3(0));
    float facing = dot(n, v), rest = 1 - clamp(facing, 0, 1);
    float fresnel = FRESNEL_LOW + FRESNEL_HIGH * pow(rest, 5);
    vec4 finish = FINISHES[finish_row()];
    light.specular = finish[0] * FRESNEL_LOW * max(whole, 0);
    light.specular += finish[1] * fresnel * mirrored(2 * facing * n - v);
    float shine = max(dot(n, normalize(key + v)), 0);
    vec2 lobes = LOBES * vec2(pow(shine, 64), pow(shine, 256));
    light.specular += max(dot(n, key), 0) * FRESNEL_LOW * dot(finish.zw, lobes) * colour;
#ifdef WORN
    if (material == 1u) light.specular = gleam(n, v, key, light.albedo) * colour;
    light.specular *= highlights;
#else
    light.specular *= highlights;
    if (lit) {
        vec3 open = max(whole, least);
        light.shading = min(max(whole + kept_off, least), 2 * open);
        light.specular *= min(light.shading / max(open, 1e-12), 1);
    }
#endif
    return light;
}
