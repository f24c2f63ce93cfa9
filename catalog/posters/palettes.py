"""Palettes by genre: ground, two inks, two accents. The ground carries most of the picture."""

from catalog.posters.canvas import Palette

_SWATCHES: dict[str, str] = {
    "Action": """
        e63946 1d1b1b f5ecd7 a8dadc ffb703
        ffb703 1b1a17 d62828 fff3d6 23648f
        14213d fca311 ece5d5 e63946 4ea8de
        f2e9dc 141312 e4572e 12a5ad ffc914
        0b3954 ff6663 cfe3ee e0ff4f fefefe
        d7263d f7f0e3 02182b f49d37 3f88c5
    """,
    "Adventure": """
        0f4c5c e36414 f4d58d fb8b24 9ad1d4
        e9c46a 264653 d9532c f8f1dc 1f7a70
        283618 dda15e fefae0 d9622b 8fb339
        f1dca7 7f2f1d 2f5d62 d9822b 1f2421
        1b3a4b f2c14e f78154 f4ecd8 5fad8a
        c8553d 2b2118 f7dba7 1f6f78 f7b538
    """,
    "Animation": """
        2ec4b6 ff9f1c 14212b fff1d0 e71d36
        ffd23f 3bceac 540d6e ee4266 fdf6e3
        ff6b6b 1a535c 4ecdc4 ffe66d fdf3e1
        3a86ff ffbe0b fb5607 fdf0d5 16213e
        f7ede2 f28482 2a6f77 f6bd60 35273a
        7bc950 22333b fffbf0 ff5d73 ffd447
    """,
    "Children": """
        8ecae6 fb8500 023047 ffb703 fdf6e8
        ffcb69 e8505b 14746f f9f1e2 2b2d42
        f9f1e2 e4572e 2e86ab f3a712 1b998b
        06a77d ffe066 f7fff7 ee4266 143642
        ef6f6c 465775 fbe7c6 56e39f f7d24a
        4059ad f4b942 f7f3e9 6bd0bd ef5b5b
    """,
    "Comedy": """
        f7ae2c 2d1b0e f26419 86bbd8 fff4df
        f6511d fff1d6 1d2230 ffb400 00a6ed
        ffe8a3 d7263d 1b4079 f46036 2e2a25
        52b2a8 fff4dc 22223b ff6b4a ffd166
        f4a6a0 7a1f3d fff4e6 ffc145 2a4d69
        fff1e0 ff5a36 191716 3fa7d6 fac748
        c1d83a 22311d fdfdf0 ff4f79 1a659e
    """,
    "Crime": """
        1b1b1d d1232a d8cbb0 c08b30 f3ead7
        d8cbb0 1b1b1d a3161f 5b6670 c08b30
        8f1d21 120f0f efe3cb d9a441 d65a31
        23303a e8c547 cfd6d6 c8553d 8aa29e
        c9a227 17130c f3e9d2 9b1d20 3d4f4a
        e9e2d2 22262b d1232a 7c8a92 e3a72f
    """,
    "Documentary": """
        e8e4d9 2b302b 6c7a70 3c8d4f d9704f
        263238 cfd8dc 90a4ae ffca28 ef6c4d
        d9d4c5 3d405b 81746a e07a5f 2f7f73
        1f1f1f ede6d6 8c8c84 e4b32f 4fa3a5
        a9bcb0 1f3330 f3efe2 d1495b edae49
        3b5249 f2e8cf a7c4a0 f2b134 e76f51
    """,
    "Drama": """
        5b2333 f7f4f3 b9a3a6 e0402f f2c27c
        1f3a4d f1e3c6 7fa3b5 e8743b f4b860
        e7d8c3 6b2737 2d3e50 d1723a a49a87
        2c2a3a d7c9aa 7b6d8d e55934 9bc1bc
        3e5641 ede4cf a3b18a d36135 f2b950
        c96f4a 2a1f2d f3dfc1 f2b872 1f4652
        d4c9b8 1f2d3a a23e48 e3a857 6f7d7b
        7d2e2a f3e6d0 22181c eb9c5c c7b7a3
    """,
    "Fantasy": """
        2d1e4f f2b950 7bdff2 e85d75 f6edd9
        0d3b3e c6ec5f f4e8c1 e2725b 47a8a0
        4c1d3d f6c667 f3e8ee e0607e 56b6c2
        12355b 86c5da f7e3af f58549 d6dbb2
        e8dab2 3c4f76 8a2e4f dda448 4d8b7a
        1f4d3a e9d985 b2d3a8 ef7b45 f9f5e3
    """,
    "Film-Noir": """
        141414 e8e0cf 6e6a62 b3202c c9a14a
        d9d2c0 171615 6f6a60 9c1c24 3b4a52
        23262b cfcabd 7c7f80 e0a526 f2ead8
        2a1d1a e6cfa5 8a5a3c c8402f f3e7d0
        0f1c24 d4dcd6 5b7380 e2b13c c2402f
        55504a efe7d4 161412 dcae4a b33a2b
    """,
    "Horror": """
        140a14 a3061c 5f1145 f6efe4 e8742c
        0e1a14 6fbf4b 2e5a3a f3edd8 d43d2a
        8b0a14 150709 f2e3cf e2552e d9b36c
        e4dcc9 1c1214 8f1420 c76f2c 4a4a48
        1d1033 8d3dae 43256b f2ef5a f4e9e1
        101820 d8d4c6 4c5a63 e0301e f2aa4c
    """,
    "IMAX": """
        04172d 2f9bd8 f4efe2 f7b32b f2603e
        f4efe2 0b2545 2a7fba f26419 f6ae2d
        0d2b2a 2fb39a e9f3d5 f5d547 f2664b
        102a6b 5bc0eb fdf5df fde74c e55934
        d9532c 1f1a17 fbe9ce f7b733 3c99a6
        2b2d42 a9bcd0 f3f1e7 ef4b4b ffd166
    """,
    "Musical": """
        d81e5b fff1d8 2b1a33 ffb627 3ec4c0
        1d2d50 f2b134 fdf0d5 ed5a6b 4fb3bf
        f2c230 3b1c32 d64550 fff4d9 1b7f86
        2e1437 ff5d8f f9e0d9 ffc53a 4fc1b8
        f4e3d7 c2233f 22313f e7a029 2f8f8b
        0e6b66 f9efd6 f4a024 ef4f60 133c3a
    """,
    "Mystery": """
        1c2833 c7a252 dce3dc 8e3b46 5fa8a0
        2f2440 c8b6e2 7e6aa5 f1c453 f5efe0
        d8d3bd 243b4a 7a8b7f b4472e d3a23c
        0f2f2e d6c28a 3f7d74 e2703a f3ecd9
        3d1f2b e2c5a5 90546a d9a441 8ea8a0
        39424e e6dcc3 8795a1 e4a33d d4523c
    """,
    "Romance": """
        f7c9c9 d81e47 5a1f3a fff3ec f29e4c
        d8334a fbe4d8 51152a f6ae8c ffd57e
        fbeee0 e4576b 2f3e5c f3a76b 9d2449
        2e1f3e f26d85 f9d5c0 f4b860 a04668
        f4b8a0 8f1d3f fdf1e3 e4573d 3d5a6c
        a63d57 f9e3d3 f4a9a0 ffcf73 331d2c
    """,
    "Sci-Fi": """
        0a1128 5bc8c0 f5f1e3 f46a5b 8d99d8
        e9e4d4 16324f e4572e 2aa7a0 f0b429
        16302b 7bf1a8 d6ead8 f4d35e ee6c4d
        240046 9d6bff f6eefb ff8a3d 38d6c4
        f0542d 18151f fde9c9 ffc145 0f5c73
        0d1b2a 8fb8de e0e1dd ffb703 e63946
        c7d3d4 14232b 4a7c8c ff5a36 f2c14e
    """,
    "Thriller": """
        14213d e4572e 8fa9c9 f4e9d8 f2b134
        e4572e 14110f f5e6ce 2b4a63 f6bd4a
        1a1a1a f2c230 8c8a80 f1ead9 d93a2b
        d9d0bb 112b3c c8351f 6e8894 e2a32e
        0f3d3e e2dfd0 5ca4a0 f2643d f2c14e
        3a0f18 e2474b f0d9c3 e8a33d 8fa3a3
        f2b01e 19160f fdf0d0 c8321f 35566b
        2d3142 bfc0c0 ef8354 f4efe3 4f8a8b
    """,
    "War": """
        3d405b e07a5f fbf3e2 81b29a d8b56a
        4b5320 d9c9a0 1e2112 c8452d e3a83b
        cdbf9a 3a3a2a 8b2d1f 6b7045 22211b
        2b2f33 b7b09c 6d7479 d33f2c e0b04a
        8c2f1b f0dfc0 231511 d99a3d 6d7560
        a8a68e 262a24 f2ead3 b7352a 4e5b46
    """,
    "Western": """
        dda15e 3a1f0e 8f2c14 f6e3bf c9622d
        c8553d 2a1610 f6d9a8 f2b134 3b6a6d
        f3d9a4 9c3a1b 40241a df7d2c 3f7c85
        2a4d55 e9b872 1b1a17 d9572b f6e6c6
        8a3b1e f4c88a 28130c ef9a3d 5f8f8a
        e7a23b 4a1f12 b8401d fbecca 2e5e63
    """,
    "Neutral": """
        1b1a22 f5ecd7 b9a98a ffb43a b3202c
        f5ecd7 1b1815 a08a5f b3202c ffb43a
        b3202c f5ecd7 1c0f0e ffb43a e8c9a0
        21443f f2e6c9 8fb39b ffb43a e4653f
        ffb43a 1b1815 fff2d6 b3202c 3d5a6c
        3a4454 e9dfc8 9aa7b5 ffb43a e2604a
    """,
}


def _parse(swatches: str) -> tuple[Palette, ...]:
    return tuple(
        Palette(*(f"#{code}" for code in row.split())) for row in swatches.strip().splitlines()
    )


NEUTRAL = "Neutral"
PALETTES: dict[str, tuple[Palette, ...]] = {
    genre: _parse(swatches) for genre, swatches in _SWATCHES.items()
}
