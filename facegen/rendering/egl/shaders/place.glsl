// Where a point is on the strip: its tile is the face's, clip distances keep it inside.
uniform int tiles;
out vec3 seen_at;
out float depth;
flat out int face;
out float gl_ClipDistance[4];

void place(int number, vec4 position) {
    vec4 seen = faces[number].to_camera * position;
    seen_at = seen.xyz;
    depth = -seen.z;
    vec2 ray = seen.xy / seen.z;
    seen.xy *= max(1 + faces[number].lens.x * dot(ray, ray), LEAST_DISTORTION);
    vec4 clip = faces[number].to_clip * seen;
    gl_ClipDistance[0] = clip.w - clip.x;
    gl_ClipDistance[1] = clip.w + clip.x;
    gl_ClipDistance[2] = clip.w - clip.y;
    gl_ClipDistance[3] = clip.w + clip.y;
    clip.y = (clip.y + clip.w * float(2 * number + 1)) / float(tiles) - clip.w;
    gl_Position = clip;
    face = number;
}
