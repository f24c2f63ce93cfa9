"""What moods, words and answers mean in genres. Editorial judgement, written down in one place.

Genre names are the canonical ones of ``ml.intent.canonical_genre`` (lower case, MovieLens' terms).
1 is "this is what the mood asks for", .5 "goes well with it", negative "spoils it".
"""

from __future__ import annotations

GENRE_ALIASES: dict[str, str] = {
    "science fiction": "sci-fi",
    "scifi": "sci-fi",
    "sf": "sci-fi",
    "sci-fi": "sci-fi",
    "children's": "children",
    "kids": "children",
    "family": "children",
    "children": "children",
    "music": "musical",
    "musicals": "musical",
    "musical": "musical",
    "comedies": "comedy",
    "thrillers": "thriller",
    "westerns": "western",
    "documentaries": "documentary",
    "dramas": "drama",
    "mysteries": "mystery",
    "noir": "film-noir",
    "film noir": "film-noir",
    "film-noir": "film-noir",
    "animated": "animation",
    "cartoon": "animation",
    "history": "history",
    "tv movie": "tv movie",
}

MOOD_GENRES: dict[str, dict[str, float]] = {
    "happy": {"comedy": 1.0, "musical": 0.5, "animation": 0.5, "romance": 0.3, "horror": -0.5},
    "sad": {"drama": 1.0, "romance": 0.5, "horror": -0.5, "action": -0.3},
    "relaxed": {"comedy": 0.7, "romance": 0.5, "children": 0.5, "horror": -1.0, "thriller": -0.5},
    "tense": {"thriller": 1.0, "mystery": 0.5, "crime": 0.5, "action": 0.3, "children": -0.5},
    "romantic": {"romance": 1.0, "comedy": 0.4, "drama": 0.4, "war": -0.5, "horror": -0.7},
    "scared": {"horror": 1.0, "thriller": 0.5, "mystery": 0.3, "children": -1.0, "musical": -0.5},
    "adventurous": {"adventure": 1.0, "action": 0.6, "fantasy": 0.5, "sci-fi": 0.5},
    "thoughtful": {"drama": 0.8, "mystery": 0.4, "documentary": 0.4, "sci-fi": 0.3, "action": -0.3},
    "curious": {"documentary": 1.0, "mystery": 0.5, "sci-fi": 0.4, "history": 0.4},
    "nostalgic": {"musical": 0.4, "western": 0.4, "film-noir": 0.4, "romance": 0.4, "comedy": 0.3},
    "inspired": {"drama": 0.7, "documentary": 0.4, "adventure": 0.4, "musical": 0.3},
    "dark": {"crime": 0.8, "film-noir": 0.7, "thriller": 0.6, "drama": 0.4, "children": -1.0},
}

CONTENT_TYPES: dict[str, dict[str, float]] = {
    "any": {},
    "live_action": {"animation": -1.0},
    "animated": {"animation": 1.5},
    "documentary": {"documentary": 1.5},
    "family": {"children": 1.2, "animation": 0.4, "horror": -1.0},
}

INTENSE = frozenset({"action", "thriller", "horror", "war", "crime"})
CALM = frozenset({"comedy", "romance", "children", "animation", "musical", "documentary"})

MOOD_WORDS: dict[str, str] = {
    word: mood
    for mood, words in {
        "happy": "happy funny fun cheerful cheer hilarious laugh silly joyful uplifting feel-good "
        "upbeat witty lighthearted light-hearted amusing",
        "sad": "sad cry crying tearjerker heartbreaking melancholy melancholic moving bittersweet "
        "touching tragic emotional",
        "relaxed": "relaxed relaxing relax calm cosy cozy gentle easy comforting chill tired sweet "
        "heartwarming heart-warming soothing",
        "tense": "tense thrilling suspense suspenseful gripping nail-biting twisty exciting edge",
        "romantic": "romantic love date lovers valentine passionate",
        "scared": "scared scary creepy frightening spooky terrifying haunted eerie ghost",
        "adventurous": "adventurous epic quest journey swashbuckling heroic escapist explore",
        "thoughtful": "thoughtful deep philosophical intelligent clever smart profound reflective "
        "mind-bending cerebral",
        "curious": "curious learn true fascinating informative educational bored",
        "nostalgic": "nostalgic nostalgia childhood retro old-school",
        "inspired": "inspired inspiring inspirational motivating hopeful triumphant",
        "dark": "dark gritty noirish grim bleak disturbing brutal sinister cynical",
    }.items()
    for word in words.split()
} | {word: word for word in MOOD_GENRES}

INTENSITY_WORDS: dict[str, str] = {
    "intense": "high",
    "violent": "high",
    "loud": "high",
    "fast": "high",
    "quiet": "low",
    "mild": "low",
    "light": "low",
    "slow": "low",
}

TIME_WORDS: dict[str, str] = {"short": "short", "quick": "short", "brief": "short", "long": "long"}

ERA_WORDS: dict[str, tuple[float, float]] = {
    "classic": (0.0, 1975.0),
    "old": (0.0, 1985.0),
    "recent": (2010.0, 9999.0),
    "modern": (2000.0, 9999.0),
    "new": (2015.0, 9999.0),
    **{f"{d}s": (1900.0 + d, 1909.0 + d) for d in range(20, 100, 10)},
    **{f"{y}s": (float(y), float(y + 9)) for y in range(1920, 2030, 10)},
}

NEGATIONS = frozenset(
    {"not", "no", "without", "never", "don't", "dont", "isn't", "nothing", "avoid"}
)
