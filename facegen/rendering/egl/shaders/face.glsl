// One face: its camera, and its light in camera and in model space; key: direction and colour.
struct Face {
    mat4 to_clip;
    mat4 to_camera;
    vec4 illumination[9];
    vec4 local[9];
    vec4 key[2];
    vec4 lens;
};
layout(std430, binding = 4) readonly buffer Faces { Face faces[]; };
