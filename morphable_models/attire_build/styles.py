"""The hair styles by name: for whom, how long, how combed."""

from collections.abc import Mapping
from dataclasses import replace

from .hair import Style
from .piece import HAIR
from .scalp import Hairline
from .strands import Comb, Cut
from .tails import braids, bun, ponytail

SHORT = Cut(HAIR, rows=5, width=9.0, fade=0.55, tip=0.35, dark=0.72, round=0.14)
LONG = Cut(HAIR, rows=8, bunch=1.3, width=14.0, fade=0.8, tip=0.4, dark=0.6, under=0.8)
WAVY = replace(LONG, rows=13, bunch=1.05)
CURLY = Cut(HAIR, rows=10, width=8.0, fade=0.75, tip=0.6, twist=1.6, dark=0.6)
HIGH = Hairline(height=4)
CROP = Comb(away=1.0, forward=0.5, swirl=0.3, reach=250, lift=0.35, volume=6)
SIDE = Comb(
    part=-34, spread=1.0, back=0.35, away=0.35, reach=140, lift=0.6, volume=5, body=4, mess=0.1
)
BACK = Comb(back=1.0, away=0.1, reach=250, lift=0.35, volume=4, body=2, mess=0.06)
FALL = Comb(part=0, spread=0.9, back=0.3, away=0.4, reach=60, volume=6, body=5, lift=0.4, mess=0.08)
HANG = replace(FALL, forward=0.4, back=0.0, clear=0.4)
TIGHT = Comb(reach=400, lift=0.12, volume=4, mess=0.04, stiff=0.3)

STYLES: Mapping[str, Style] = {
    "buzz": Style(
        replace(CROP, volume=2.0, lift=0.5, mess=0.4),
        top=5,
        sides=4,
        back=4,
        cap=1.6,
        grain=True,
        cut=replace(SHORT, rows=3, width=7),
        count=260,
    ),
    "crew": Style(
        replace(CROP, volume=5, lift=0.9, up=0.4, hold=0),
        grain=True,
        top=18,
        sides=7,
        back=8,
        cut=replace(SHORT, rows=4, width=8),
        count=250,
    ),
    "short_back_sides": Style(
        replace(CROP, left=0.5, volume=9), top=42, sides=13, back=13, cut=SHORT, count=220
    ),
    "side_part": Style(SIDE, top=85, sides=24, back=24, cut=SHORT, count=210, cap=5, rise=3),
    "slicked_back": Style(
        BACK, Hairline(recede=4), top=95, sides=45, back=40, cut=SHORT, count=200, vary=0.1
    ),
    "messy_short": Style(
        replace(CROP, mess=0.75, lift=0.9, volume=14, up=0.25, hold=0.4),
        top=48,
        sides=24,
        back=26,
        cut=replace(SHORT, twist=1.2),
        count=220,
        vary=0.35,
    ),
    "textured_fringe": Style(
        replace(CROP, forward=1.1, mess=0.35, volume=11),
        top=52,
        sides=16,
        back=16,
        fringe=48,
        cut=SHORT,
        count=220,
        vary=0.3,
    ),
    "spiky": Style(
        replace(CROP, forward=0.0, away=0.3, up=0.9, hold=0, lift=1.2, mess=0.5),
        top=29,
        sides=12,
        back=13,
        cut=replace(SHORT, tip=0.15),
        count=250,
        vary=0.25,
    ),
    "long_top_undercut": Style(
        replace(SIDE, left=0.5, back=0.7, volume=9, body=7, lift=0.9),
        top=120,
        sides=6,
        back=6,
        cut=SHORT,
        count=210,
        cap=6,
        rise=4,
    ),
    "curly_short": Style(
        Comb(
            away=0.8,
            up=0.25,
            hold=0,
            mess=0.6,
            volume=14,
            lift=0.8,
            reach=90,
            curl=6,
            curl_length=36,
            clear=0.3,
        ),
        HIGH,
        top=40,
        sides=24,
        back=26,
        cut=CURLY,
        count=150,
        cap=14,
        rise=11,
        vary=0.3,
    ),
    "afro": Style(
        Comb(
            up=2.0,
            mess=0.7,
            volume=3,
            lift=2.0,
            reach=900,
            curl=4.5,
            curl_length=22,
            clear=0,
            hold=0,
        ),
        HIGH,
        top=24,
        sides=20,
        back=22,
        cap=30,
        rise=26,
        grain=True,
        vary=0.3,
        count=260,
        cut=replace(CURLY, rows=6, width=8, fade=0.6, twist=6),
    ),
    "receding_short": Style(
        replace(CROP, forward=0.1, back=0.3, volume=5),
        Hairline(recede=22, height=8),
        top=24,
        sides=13,
        back=14,
        cut=SHORT,
        grain=True,
        count=220,
    ),
    "balding": Style(
        replace(CROP, volume=4, forward=0),
        Hairline(),
        top=14,
        sides=16,
        back=18,
        cut=replace(SHORT, rows=4, fade=0.4),
        count=380,
        bald=38,
        cap=1.2,
        grain=True,
    ),
    "pixie": Style(
        replace(CROP, forward=0.9, left=0.45, volume=12, mess=0.25),
        HIGH,
        top=62,
        sides=34,
        back=30,
        fringe=58,
        cut=SHORT,
        count=210,
        vary=0.25,
    ),
    "bob": Style(
        replace(FALL, part=-18, volume=8, body=6, tuck=0.6),
        HIGH,
        top=290,
        sides=230,
        back=200,
        level=-98,
        cut=replace(LONG, fade=0.88, tip=0.7),
        cap=7,
        rise=5,
        count=165,
        vary=0.07,
    ),
    "bob_fringe": Style(
        replace(HANG, volume=8, body=6, tuck=0.7),
        HIGH,
        top=290,
        sides=230,
        back=200,
        level=-88,
        fringe=72,
        cut=replace(LONG, fade=0.88, tip=0.7),
        cap=7,
        rise=5,
        count=165,
        vary=0.07,
    ),
    "long_straight_middle": Style(
        FALL, HIGH, top=400, sides=320, back=310, cut=LONG, cap=7, rise=5, count=150
    ),
    "long_straight_side": Style(
        replace(FALL, part=-30, volume=8),
        HIGH,
        top=360,
        sides=280,
        back=270,
        cut=LONG,
        cap=7,
        rise=5,
        count=150,
    ),
    "long_wavy": Style(
        replace(FALL, part=12, volume=9, body=7, wave=11, wave_length=125, mess=0.15),
        HIGH,
        top=350,
        sides=270,
        back=260,
        cut=WAVY,
        cap=7,
        rise=5,
        count=120,
    ),
    "long_curly": Style(
        replace(FALL, part=-10, volume=12, body=7, curl=12, curl_length=95, mess=0.3),
        HIGH,
        top=320,
        sides=230,
        back=220,
        cut=replace(CURLY, rows=19, width=14),
        count=85,
        cap=8,
        rise=5,
    ),
    "shoulder_fringe": Style(
        replace(HANG, part=5, volume=8, wave=4, wave_length=120),
        HIGH,
        top=290,
        sides=210,
        back=200,
        fringe=74,
        cut=LONG,
        cap=7,
        rise=5,
        count=150,
    ),
    "shoulder_wavy": Style(
        replace(FALL, part=22, volume=9, body=7, wave=9, wave_length=105, mess=0.2),
        HIGH,
        top=270,
        sides=190,
        back=180,
        cut=WAVY,
        cap=7,
        rise=5,
        count=120,
    ),
    "ponytail": Style(
        replace(TIGHT, gather=(0, 52, -104)), HIGH, top=230, cut=LONG, count=120, extra=ponytail
    ),
    "high_bun": Style(
        replace(TIGHT, gather=(0, 122, -42)), HIGH, top=34, cut=LONG, count=120, extra=bun
    ),
    "low_bun": Style(
        replace(TIGHT, gather=(0, -28, -96)), HIGH, top=30, cut=LONG, count=120, extra=bun
    ),
    "two_braids": Style(
        replace(TIGHT, part=0, gather=(58, -48, -42)),
        HIGH,
        top=250,
        cut=LONG,
        count=120,
        extra=braids,
    ),
}
