"""Written prompts for those who have no pictures: an own memory to recall, or a scene to imagine."""

from emod_rt.calibration.scene import Stimulus

# far enough from the middle to be felt, near enough to be kind
_FAR = 0.6
_TEXTS: dict[tuple[int, int], tuple[str, ...]] = {
    (1, 1): (
        "Recall a day when something you had long hoped for came true. Where were you when you heard? "
        "Whom did you tell first?",
        "Recall laughing with others until none of you could stop. What set it off? See their faces.",
        "Imagine your favourite song, loud, and the people you like best dancing around you. Join them.",
        "Imagine the finish of a race that you are about to win: the last steps, the noise, your name.",
    ),
    (-1, 1): (
        "Recall a day when you were late and everything was in your way. What held you up? "
        "What did you look at again and again?",
        "Recall a quarrel about something small in which nobody listened to you. What did you want to say?",
        "Imagine standing on a platform, and your ticket is nowhere: not in this pocket, not in that one. "
        "The doors begin to close.",
        "Imagine an urgent piece of work, an hour too little for it, and a drill in the wall beside you.",
    ),
    (-1, -1): (
        "Recall a long grey afternoon on which nothing was worth doing. What did you see from the window?",
        "Recall waiting for a message that did not come that day. Where did you sit? How quiet was it?",
        "Imagine a wet Sunday in a town where you know nobody. The shops are shut, and the day is long.",
        "Imagine the last evening of a good holiday: the bags are packed, the room is bare, it is over.",
    ),
    (1, -1): (
        "Recall a morning with nothing that had to be done. How was the light? What did you hear?",
        "Recall sitting beside somebody you trust, without a need to talk. Where were you?",
        "Imagine lying in warm grass under a tree. The leaves move, and the light moves over you.",
        "Imagine floating on your back in warm, still water. It carries you, and your arms grow heavy.",
    ),
}
_QUADRANT_NAMES = {(1, 1): "glad", (-1, 1): "tense", (-1, -1): "low", (1, -1): "calm"}

PROMPTS: tuple[Stimulus, ...] = tuple(
    Stimulus(
        f"prompt-{_QUADRANT_NAMES[quadrant]}-{number}",
        "text",
        text,
        intended=(_FAR * quadrant[0], _FAR * quadrant[1]),
    )
    for quadrant, texts in _TEXTS.items()
    for number, text in enumerate(texts, start=1)
)
"""Four of each quadrant."""
