"""Affect space: where each corpus' words and ratings lie, and who says so."""

from pathlib import Path

import numpy as np
import pytest

from emod_model.affect import corpora, level, load_vocabulary, region, vocabulary
from emod_model.errors import InputFileError, UsageError

ELEVEN = (
    *("amigos", "deap", "dreamer", "faced", "mahnob-hci", "mdme", "mped", "seed", "seed-iv", "seed-v"),
    "seed-vii",
)
PUBLISHED = {
    "seed-iv": {"neutral": (0, 0), "sad": (-1, 1), "fear": (-1, 2), "happy": (3, 2)},
    "seed-vii": {
        **{"happy": (3, 2), "neutral": (0, 0), "disgust": (-2, 1), "sad": (-1, 1)},
        **{"anger": (-1, 2), "fear": (-1, 2), "surprise": (0, 2)},
    },
    "mped": {
        **{"neutral": (0, 0), "joy": (3, 2), "funny": (2, 1), "angry": (-1, 2)},
        **{"fear": (-1, 2), "disgust": (-2, 1), "sadness": (-1, 1)},
    },
}


class TestVocabularies:
    def test_all_eleven_corpora_have_one(self) -> None:
        assert set(ELEVEN) <= set(corpora())
        assert vocabulary("SEED_IV") is not None
        assert vocabulary("MAHNOB").name == "MAHNOB-HCI"

    @pytest.mark.parametrize("corpus", ELEVEN)
    def test_every_coordinate_lies_in_the_plane_and_tells_its_source_and_who_placed_it(
        self, corpus: str
    ) -> None:
        words = vocabulary(corpus)
        for word in words.words:
            valence, arousal = words.point(word)
            assert abs(valence) <= 1
            assert abs(arousal) <= 1
            label = words.label(word)
            assert label.source
            assert label.origin in ("published", "ours")
        if words.ratings is not None:
            assert words.ratings.source

    @pytest.mark.parametrize("corpus", PUBLISHED)
    def test_published_coordinates_are_the_published_ones_over_four(self, corpus: str) -> None:
        words = vocabulary(corpus)
        assert set(words.words) == set(PUBLISHED[corpus])
        for word, (valence, arousal) in PUBLISHED[corpus].items():
            assert words.point(word) == (valence / 4, arousal / 4)
            assert words.label(word).origin == "published"

    @pytest.mark.parametrize("corpus", ["faced", "seed", "seed-v"])
    def test_where_nothing_is_published_the_coordinates_are_marked_as_ours(self, corpus: str) -> None:
        words = vocabulary(corpus)
        assert {words.label(word).origin for word in words.words} == {"ours"}

    @pytest.mark.parametrize(
        ("corpus", "rating", "projected"),
        [
            *[(name, [1, 5, 6.31, 9], [-1, 0, 0.3275, 1]) for name in ("deap", "amigos", "mdme", "mahnob")],
            ("dreamer", [1, 3, 4, 5], [-1, 0, 0.5, 1]),
            ("faced", [0, 3.5, 7], [-1, 0, 1]),
        ],
    )
    def test_ratings_are_projected_and_never_truncated(
        self, corpus: str, rating: list[float], projected: list[float]
    ) -> None:
        np.testing.assert_allclose(vocabulary(corpus).rating(rating), projected, atol=1e-12)

    @pytest.mark.parametrize(
        ("corpus", "codes"),
        [
            ("seed", {-1: "negative", 0: "neutral", 1: "positive"}),
            ("seed-iv", {0: "neutral", 1: "sad", 2: "fear", 3: "happy"}),
            ("seed-v", {0: "disgust", 1: "fear", 2: "sad", 3: "neutral", 4: "happy"}),
            ("mped", {0: "rest", 1: "neutral", 2: "joy", 3: "funny", 4: "angry", 7: "sadness", 8: "filler"}),
            ("faced", {0: "anger", 4: "neutral", 5: "amusement", 6: "inspiration", 8: "tenderness"}),
            ("mahnob-hci", {0: "neutral", 1: "anger", 4: "joy", 6: "surprise", 11: "amusement"}),
        ],
    )
    def test_numbers_on_disk_become_words(self, corpus: str, codes: dict[int, str]) -> None:
        assert {code: vocabulary(corpus).word(code) for code in codes} == codes

    def test_a_number_of_a_corpus_with_two_numberings_needs_its_system(self) -> None:
        words = vocabulary("seed-vii")
        assert words.word(0, "EMOD") == "happy"
        assert words.word(0, "MST") == "disgust"
        with pytest.raises(UsageError, match="EMOD, MST"):
            words.word(0)

    def test_a_class_without_a_place_says_why(self) -> None:
        with pytest.raises(UsageError, match="'rest' of MPED has no valence and arousal: rest before"):
            vocabulary("mped").point("rest")
        assert "rest" not in vocabulary("mped").words

    @pytest.mark.parametrize(
        ("ask", "sentence"),
        [
            (lambda: vocabulary("sede"), "'sede' is no corpus"),
            (lambda: vocabulary("seed").point("bored"), "'bored' is no class of SEED; it has negative"),
            (lambda: vocabulary("seed").word(2), "2 is no class of SEED; it has -1 negative"),
            (lambda: vocabulary("seed").rating(3), "SEED has no ratings"),
            (lambda: vocabulary("deap").rating([2.0, 9.5]), "DEAP: a rating of 9.5 is not on the scale"),
            (lambda: vocabulary("deap").rating(float("nan")), "a rating of nan"),
        ],
    )
    def test_what_is_not_in_a_corpus_is_refused(self, ask: object, sentence: str) -> None:
        with pytest.raises(UsageError, match=sentence):
            ask()  # type: ignore[operator]


OWN = """
name = "films"
[ratings]
low = 0
high = 100
source = "sliders"
[[classes]]
word = "calm"
code = 3
valence = 0.3
arousal = -0.6
source = "mean of a pilot"
"""


class TestOwnCorpus:
    def test_one_small_file_makes_a_vocabulary(self, tmp_path: Path) -> None:
        file = tmp_path / "films.toml"
        file.write_text(OWN)
        words = vocabulary(str(file))
        assert words.point("Calm") == (0.3, -0.6)
        assert words.word(3) == "calm"
        assert words.rating(75) == 0.5
        assert words.label("calm").origin == "user"

    @pytest.mark.parametrize(
        ("before", "after", "sentence"),
        [
            ("valence = 0.3", "valence = 1.3", "the valence 1.3 of 'calm' lies outside"),
            ("valence = 0.3", "", "needs both valence and arousal"),
            ("valence = 0.3", 'valence = "high"', r"classes\[0\].valence = 'high': input should be a valid"),
            ("arousal = -0.6", "arousal = nan", r"classes\[0\].arousal = nan"),
            ('source = "sliders"', "", "ratings.source is missing"),
            ('name = "films"', 'nmae = "films"', "name is missing"),
            ("low = 0", "low = 100", "low 100 is not below high 100"),
            ("code = 3", "kode = 3", r"classes\[0\].kode is not a setting"),
            ("[ratings]", "[ratings", "is not TOML"),
        ],
    )
    def test_what_cannot_be_is_refused_with_file_field_and_value(
        self, tmp_path: Path, before: str, after: str, sentence: str
    ) -> None:
        file = tmp_path / "films.toml"
        file.write_text(OWN.replace(before, after))
        with pytest.raises(InputFileError, match=sentence) as refused:
            load_vocabulary(file)
        assert "films.toml" in str(refused.value)
        assert "\n" not in str(refused.value)

    def test_an_absent_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputFileError, match="cannot be read"):
            load_vocabulary(tmp_path / "none.toml")


class TestGrid:
    def test_nine_levels_an_axis(self) -> None:
        np.testing.assert_array_equal(level(np.linspace(-1, 1, 9)), np.arange(9))
        np.testing.assert_array_equal(level([-1, -0.88, -0.87, 0.12, 0.13, 1]), [0, 0, 1, 4, 5, 8])

    def test_three_by_three_levels_are_a_region(self) -> None:
        centres = np.array([-0.75, 0.0, 0.75])
        arousal, valence = np.meshgrid(centres, centres, indexing="ij")
        np.testing.assert_array_equal(region(valence.ravel(), arousal.ravel()), np.arange(9))

    def test_published_classes_lie_in_five_regions_and_none_is_calm(self) -> None:
        points = [vocabulary(c).point(w) for c in PUBLISHED for w in vocabulary(c).words]
        valence, arousal = np.array(points).T
        assert set(region(valence, arousal).tolist()) == {3, 4, 5, 7, 8}

    def test_a_missing_value_has_no_level(self) -> None:
        with pytest.raises(ValueError, match="nan is no valence"):
            level([0.0, np.nan])
