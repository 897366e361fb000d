"""What each sample's person wears: which piece in each slot, how it varies, and its colours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int16, Int64
from scipy.special import ndtri

from facegen.files import Array
from facegen.models.attire import COLOURS, SKIN_COLOUR, Library, Piece
from facegen.recipe.attire import SLOTS, AttirePrior
from facegen.sampling import colours
from facegen.sampling.persona import Persona
from facegen.sampling.randomness import Stream, uniforms
from facegen.scene.cameras import rotation_matrix

LENS = 1  # The colour of glasses that lenses have.
HAIR, BEARD, GLASSES, HAT, MASK, CLOTHES, HAND = range(len(SLOTS))
OF_IDENTITY = (HAIR, BEARD)
STREAMS = tuple(Stream[name.upper()] for name in SLOTS)
KINDS: tuple[tuple[str, ...], ...] = (
    *(("hair",), ("beard",), ("glasses",), ("hat", "scarf"), ("mask",), ("clothes",), ("hand",)),
)
# Of a slot's uniforms: whether it is worn, which piece, its variations, colours, and the rest.
WORN, WHICH, VARY, COLOUR, REST, DRAWS = 0, 1, 2, 5, 14, 24
VARIATION_LIMIT = 2.0
AGE_EDGE = 6.0  # Years over which a piece comes into or goes out of use.
# Of shoulders against the head: the share of its turn that they follow, and their own, degrees.
FOLLOWS, BODY_SD = 0.35, (4.0, 9.0, 3.0)
HELD_SD_MM, HELD_SD_DEGREES = (14.0, 14.0, 7.0), (12.0, 15.0, 20.0)


@dataclass(frozen=True, eq=False)
class Attire:
    """What N people wear, by slot: the piece's number or -1, its variations (in sd), its colours.

    names: of the pieces, by number; colours: display-referred, the last one the person's skin;
    hand: from a held piece's space into the head's; body: the shoulders' rotation in the head's.
    """

    names: tuple[str, ...]
    pieces: Int16[Array, "N 7"]
    variations: Float32[Array, "N 7 3"]
    colours: Float32[Array, "N 7 4 3"]
    hand: Float32[Array, "N 4 4"]
    body: Float32[Array, "N 3 3"]

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, rows: Any) -> "Attire":
        arrays = (getattr(self, field.name)[rows] for field in fields(self)[1:])
        return Attire(self.names, *arrays)

    def worn(self, row: int) -> dict[str, str]:
        """The name of the piece in each slot where one of them wears something."""
        numbers = zip(SLOTS, self.pieces[row].tolist(), strict=True)
        return {slot: self.names[number] for slot, number in numbers if number >= 0}


@dataclass(frozen=True, eq=False)
class Dealer:
    """How attire is dealt to people: what a recipe states, from the pieces of a library."""

    prior: AttirePrior
    library: Library

    def deal(
        self,
        seed: int,
        samples: tuple[Int64[Array, "N"], Int64[Array, "N"]],
        persona: Persona,
        rotation: Float32[Array, "N 3"],
    ) -> Attire:
        """What the people of samples (indices, identities) wear, whose heads are turned so.

        Hair and beard are the identity's: pure in (seed, index).
        """
        indices, whose = samples
        draws = [
            uniforms(seed, stream, whose if slot in OF_IDENTITY else indices, DRAWS)
            for slot, stream in enumerate(STREAMS)
        ]
        pieces = np.full((len(whose), len(SLOTS)), -1, np.int16)
        for slot, name in enumerate(SLOTS):
            pieces[:, slot] = self._chosen(slot, getattr(self.prior, name), draws[slot], persona)
        for slot in (HAIR, BEARD, MASK):
            self._exclude(pieces, slot)
        vary = np.stack([ndtri(draw[:, VARY:COLOUR]) for draw in draws], axis=1)
        return Attire(
            tuple(piece.name for piece in self.library.pieces),
            pieces,
            vary.clip(-VARIATION_LIMIT, VARIATION_LIMIT).astype(np.float32),
            self._colours(draws, persona),
            self._held(pieces[:, HAND], draws[HAND]),
            _shoulders(rotation, draws[CLOTHES][:, REST : REST + 3]),
        )

    def _chosen(
        self, slot: int, share: float, draws: Float64[Array, "N d"], persona: Persona
    ) -> Int16[Array, "N"]:
        """The number of each person's piece in a slot, or -1."""
        numbers = [n for kind in KINDS[slot] for n in self.library.numbers[kind]]
        none = np.full(len(draws), -1, np.int16)
        if not numbers or share == 0:
            return none
        weights = np.stack([_weights(self.library.pieces[n], persona) for n in numbers], axis=1)
        total = weights.sum(axis=1)
        steps = np.cumsum(weights, axis=1) / np.maximum(total, 1e-12)[:, None]
        which = (draws[:, WHICH, None] > steps).sum(axis=1).clip(0, len(numbers) - 1)
        worn = (draws[:, WORN] < share) & (total > 0)
        if slot == BEARD:
            worn &= persona.man > 0.5
        return np.where(worn, np.array(numbers, np.int16)[which], none)

    def _exclude(self, pieces: Int16[Array, "N 7"], slot: int) -> None:
        """Take off what something else that is worn has no room for, in place."""
        kinds = set(KINDS[slot])
        against = [
            number
            for number, piece in enumerate(self.library.pieces)
            if kinds & set(piece.tags.get("without", ()))
            or (slot == HAIR and piece.tags.get("covers_hair"))
        ]
        pieces[np.isin(pieces, against).any(axis=1), slot] = -1

    def _colours(
        self, draws: list[Float64[Array, "N d"]], persona: Persona
    ) -> Float32[Array, "N 7 4 3"]:
        out = np.zeros((len(persona.age), len(SLOTS), COLOURS + 1, 3))
        hair = colours.of_hair(persona, draws[HAIR][:, COLOUR:REST])
        out[:, HAIR, :COLOURS] = hair[:, None]
        out[:, BEARD, :COLOURS] = colours.of_beard(hair, draws[BEARD][:, COLOUR:REST])[:, None]
        for slot, palette in PALETTES.items():
            for k in range(COLOURS):
                own = draws[slot][:, COLOUR + 3 * k : COLOUR + 3 * k + 3]
                out[:, slot, k] = palette(own)
        lenses = draws[GLASSES][:, COLOUR + 3 * LENS : COLOUR + 3 * LENS + 3]
        out[:, GLASSES, LENS] = colours.of_lenses(lenses)
        out[:, :, SKIN_COLOUR] = persona.tone[:, None]
        return out.clip(0, 1).astype(np.float32)

    def _held(
        self, numbers: Int16[Array, "N"], draws: Float64[Array, "N d"]
    ) -> Float32[Array, "N 4 4"]:
        """Where hands are: one of the places that their pieces know, moved and turned a little."""
        transform = np.broadcast_to(np.eye(4, dtype=np.float32), (len(numbers), 4, 4)).copy()
        moved = ndtri(draws[:, REST : REST + 6])
        for row in np.flatnonzero(numbers >= 0).tolist():
            places = self.library.pieces[numbers[row]].tags["places"]
            place = np.array(places[int(draws[row, REST + 6] * len(places))], np.float64)
            yaw, pitch, roll = place[3:] + moved[row, 3:] * HELD_SD_DEGREES
            transform[row, :3, :3] = rotation_matrix(np.radians([pitch, yaw, roll]))
            transform[row, :3, 3] = place[:3] + moved[row, :3] * HELD_SD_MM
        return transform


PALETTES: Mapping[int, Callable[[Float64[Array, "N 3"]], Float64[Array, "N 3"]]] = {
    GLASSES: colours.of_frames,
    HAT: colours.of_cloth,
    MASK: colours.of_masks,
    CLOTHES: colours.of_cloth,
    HAND: colours.of_things,
}


def _weights(piece: Piece, persona: Persona) -> Float64[Array, "N"]:
    """How readily each person takes a piece."""
    men, women = float(piece.tags.get("men", 1)), float(piece.tags.get("women", 1))
    young, old = piece.tags.get("ages", (0, 120))
    gender = np.where(persona.man > 0.5, men, women)
    of_age = 1 / (1 + np.exp((young - persona.age) / AGE_EDGE))
    of_age = of_age / (1 + np.exp((persona.age - old) / AGE_EDGE))
    return np.asarray(gender * of_age)


def _shoulders(
    rotation: Float32[Array, "N 3"], draws: Float64[Array, "N 3"]
) -> Float32[Array, "N 3 3"]:
    """The shoulders' rotation in the space of heads that are turned so."""
    own = np.radians(ndtri(draws) * BODY_SD)
    body = rotation_matrix(FOLLOWS * rotation.astype(np.float64) + own)
    relative = np.swapaxes(rotation_matrix(rotation), 1, 2) @ body
    return np.asarray(relative, np.float32)
