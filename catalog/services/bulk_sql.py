"""The statements of ``services.bulk``. Nothing that users type is in them.

``stage_film`` holds a row per film of the table; ``movie_id`` is the film of ours it speaks of, a
new id where there is none, and null for a second row of the same film. ``stage_change`` lists which
fields of which films differ and may be written.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

from catalog.services.search_index import vector_sql

_TYPES = {
    "tmdb_id": "text",
    "imdb_id": "text",
    "movielens_ids": "varchar[]",
    "title": "text",
    "title_normalized": "text",
    "titles_normalized": "varchar[]",
    "title_trigrams": "varchar[]",
    "original_title": "text",
    "original_normalized": "text",
    "year": "smallint",
    "runtime_min": "smallint",
    "language": "text",
    "countries": "varchar[]",
    "certification": "text",
    "tagline": "text",
    "synopsis": "text",
    "poster_path": "text",
    "backdrop_path": "text",
    "released_on": "date",
    "vote_average": "float8",
    "vote_count": "integer",
    "popularity": "float8",
}
FILM_COLUMNS = tuple(_TYPES)
# What new films are indexed by; those that we have keep what is locked and are indexed after.
SEARCH_COLUMNS = ("search_titles", "search_people", "search_about", "search_prose")
PLAIN_FIELDS = (
    *("title", "original_title", "alternative_titles", "year", "runtime_min", "language"),
    *("countries", "certification", "tagline", "synopsis", "poster_path", "backdrop_path"),
)
_COLUMNS = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())

STAGING = (
    *("stage_film", "stage_genre", "stage_keyword", "stage_credit"),
    *("stage_lock", "stage_change", "stage_target", "stage_normalized"),
)
CREATE_STAGING = (
    f"CREATE TEMP TABLE stage_film (n integer PRIMARY KEY, {_COLUMNS}, "
    f"{', '.join(f'{name} text' for name in SEARCH_COLUMNS)}, movie_id bigint, "
    "match_rank smallint, is_new boolean NOT NULL DEFAULT false, alternative_titles varchar[])",
    "CREATE TEMP TABLE stage_genre (n integer, name text)",
    "CREATE TEMP TABLE stage_keyword (n integer, name text)",
    "CREATE TEMP TABLE stage_credit (n integer, name text, role text, position smallint)",
    "CREATE TEMP TABLE stage_lock (movie_id bigint PRIMARY KEY, fields varchar[] NOT NULL)",
    "CREATE TEMP TABLE stage_change (movie_id bigint, field text)",
    "CREATE TEMP TABLE stage_target (movie_id bigint, other_id bigint, role text, "
    "position smallint)",
)
COPY_FILMS = f"COPY stage_film (n, {', '.join((*FILM_COLUMNS, *SEARCH_COLUMNS))}) FROM STDIN"
INDEX_STAGING = (
    "CREATE INDEX ON stage_film (tmdb_id)",
    "CREATE INDEX ON stage_film (imdb_id)",
    "CREATE INDEX ON stage_genre (n)",
    "CREATE INDEX ON stage_keyword (n)",
    "CREATE INDEX ON stage_credit (n)",
    *(f"ANALYZE {name}" for name in STAGING[:4]),
)

# Which of our films a row speaks of: by TMDB id, IMDb id, MovieLens id, then by title and year
# where exactly one row and one film without TMDB or IMDb id have both.
MATCH = (
    """
    UPDATE stage_film s SET movie_id = e.movie_id, match_rank = 1
    FROM catalog_externalid e WHERE e.source = 'tmdb' AND e.value = s.tmdb_id
    """,
    """
    UPDATE stage_film s SET movie_id = e.movie_id, match_rank = 2
    FROM catalog_externalid e
    WHERE s.movie_id IS NULL AND e.source = 'imdb' AND e.value = s.imdb_id
    """,
    """
    UPDATE stage_film s SET movie_id = found.movie_id, match_rank = 3
    FROM (
        SELECT s.n, min(e.movie_id) AS movie_id
        FROM stage_film s, unnest(s.movielens_ids) AS wanted(value)
        JOIN catalog_externalid e ON e.source = 'movielens' AND e.value = wanted.value
        WHERE s.movie_id IS NULL
        GROUP BY s.n HAVING count(DISTINCT e.movie_id) = 1
    ) found WHERE found.n = s.n
    """,
    """
    UPDATE stage_film s SET movie_id = m.pk, match_rank = 4
    FROM (
        SELECT title_normalized, year, min(id) AS pk
        FROM catalog_movie m
        WHERE year IS NOT NULL AND NOT EXISTS (
            SELECT FROM catalog_externalid e
            WHERE e.movie_id = m.id AND e.source IN ('tmdb', 'imdb')
        )
        GROUP BY title_normalized, year HAVING count(*) = 1
    ) m, (
        SELECT title_normalized, year FROM stage_film
        GROUP BY title_normalized, year HAVING count(*) = 1
    ) alone
    WHERE s.movie_id IS NULL AND s.title_normalized = m.title_normalized AND s.year = m.year
      AND alone.title_normalized = s.title_normalized AND alone.year = s.year
    """,
    # Several rows of one film: the best match counts, the others are left out.
    """
    UPDATE stage_film s SET movie_id = NULL
    FROM (
        SELECT n, row_number() OVER (PARTITION BY movie_id ORDER BY match_rank, n) AS place
        FROM stage_film WHERE movie_id IS NOT NULL
    ) ranked
    WHERE ranked.n = s.n AND ranked.place > 1
    """,
    """
    UPDATE stage_film SET is_new = true,
        movie_id = nextval(pg_get_serial_sequence('catalog_movie', 'id'))
    WHERE match_rank IS NULL
    """,
    "CREATE UNIQUE INDEX ON stage_film (movie_id)",
    "ANALYZE stage_film",
)

# The source's own id is added; those of others only where the film has none of the kind.
LINKS = (
    """
    INSERT INTO catalog_externalid (movie_id, source, value)
    SELECT movie_id, 'tmdb', tmdb_id FROM stage_film WHERE movie_id IS NOT NULL ORDER BY n
    ON CONFLICT (source, value) DO NOTHING
    """,
    """
    INSERT INTO catalog_externalid (movie_id, source, value)
    SELECT movie_id, 'imdb', imdb_id FROM stage_film s
    WHERE movie_id IS NOT NULL AND imdb_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM catalog_externalid e WHERE e.movie_id = s.movie_id AND e.source = 'imdb'
    )
    ORDER BY n
    ON CONFLICT (source, value) DO NOTHING
    """,
    """
    INSERT INTO catalog_externalid (movie_id, source, value)
    SELECT s.movie_id, 'movielens', wanted.value
    FROM stage_film s, unnest(s.movielens_ids) AS wanted(value)
    WHERE s.movie_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM catalog_externalid e
        WHERE e.movie_id = s.movie_id AND e.source = 'movielens'
    )
    ORDER BY s.n
    ON CONFLICT (source, value) DO NOTHING
    """,
)

# What may not be written: what a stronger source said; what we only fill in and another said; and
# what TMDB's own API said of an enriched film, which is newer and fuller than any table.
LOCKED = """
    INSERT INTO stage_lock (movie_id, fields)
    SELECT f.movie_id, array_agg(f.field)
    FROM catalog_fieldsource f
    JOIN stage_film s ON s.movie_id = f.movie_id
    LEFT JOIN catalog_enrichmentstate e ON e.movie_id = f.movie_id
    WHERE f.source = ANY(%(stronger)s)
       OR (f.field = ANY(%(fills_only)s) AND f.source <> %(source)s)
       OR (f.source = %(source)s AND e.status IN ('done', 'fetched'))
    GROUP BY f.movie_id
"""
_UNLOCKED = (
    "NOT EXISTS (SELECT FROM stage_lock l WHERE l.movie_id = s.movie_id "
    "AND '{field}' = ANY(l.fields))"
)

# More names to find the film by.
ALTERNATIVES = """
    UPDATE stage_film s SET alternative_titles = new.titles
    FROM (
        SELECT t.n, m.alternative_titles || array_agg(
            t.title::varchar ORDER BY t.place
        ) AS titles
        FROM (
            SELECT DISTINCT ON (f.n, v.normal) f.n, f.movie_id, v.title, v.normal, v.place
            FROM stage_film f, LATERAL (VALUES
                (f.title, f.title_normalized, 1), (f.original_title, f.original_normalized, 2)
            ) AS v(title, normal, place)
            WHERE v.normal IS NOT NULL AND NOT f.is_new
            ORDER BY f.n, v.normal, v.place
        ) t
        JOIN catalog_movie m ON m.id = t.movie_id
        WHERE t.normal <> ALL(m.titles_normalized)
        GROUP BY t.n, m.alternative_titles
    ) new
    WHERE new.n = s.n
"""


def changed_field(name: str, *, fills_only: bool) -> str:
    """Notes the films whose ``name`` differs and may be written."""
    unfilled = ""
    if fills_only:
        # Without a source, somebody's value stands unless there is none.
        unfilled = f"""
            AND (COALESCE(m.{name}::text, '') = '' OR EXISTS (
                SELECT FROM catalog_fieldsource f
                WHERE f.movie_id = m.id AND f.field = '{name}'
            ))
        """
    return f"""
        INSERT INTO stage_change (movie_id, field)
        SELECT s.movie_id, '{name}'
        FROM stage_film s JOIN catalog_movie m ON m.id = s.movie_id
        WHERE s.{name} IS NOT NULL AND (
            s.is_new OR (m.{name} IS DISTINCT FROM s.{name} {unfilled}
                AND {_UNLOCKED.format(field=name)})
        )
    """  # noqa: S608 - names from this module


def update_movies() -> str:
    """All noted fields of all films of ours in one pass; new ones were inserted whole."""
    columns = ", ".join(
        f"{name} = CASE WHEN '{name}' = ANY(c.fields) THEN s.{name} ELSE m.{name} END"
        for name in PLAIN_FIELDS
    )
    return f"""
        UPDATE catalog_movie m SET {columns}, updated_at = now()
        FROM stage_film s, (
            SELECT movie_id, array_agg(field) AS fields FROM stage_change GROUP BY movie_id
        ) c
        WHERE s.movie_id = m.id AND c.movie_id = m.id AND NOT s.is_new
    """  # noqa: S608 - names from this module


def insert_movies(model: type[models.Model]) -> str:
    """New films; columns that the table does not have get the model's own defaults."""
    names, values = [], []
    for field in model._meta.local_concrete_fields:
        names.append(f'"{field.column}"')
        if field.primary_key:
            values.append("s.movie_id")
        elif field.column in ("created_at", "updated_at"):
            values.append("now()")
        elif field.column == "search_vector":
            values.append(vector_sql(*(f"s.{name}" for name in SEARCH_COLUMNS)))
        elif field.column in _TYPES:
            default = _literal(field)
            values.append(f"COALESCE(s.{field.column}, {default})")
        else:
            values.append(_literal(field))
    return f"""
        INSERT INTO catalog_movie ({", ".join(names)})
        SELECT {", ".join(values)} FROM stage_film s WHERE s.is_new ORDER BY s.n
    """  # noqa: S608 - names and defaults from the model


def _literal(field: models.Field[Any, Any]) -> str:
    default = field.get_default()
    if default is None:
        return "NULL"
    if isinstance(field, ArrayField):
        return "'{}'"
    # Defaults are numbers, booleans and short words from the model; quoted all the same.
    connection.ensure_connection()
    from psycopg import sql as psycopg_sql

    return psycopg_sql.Literal(default).as_string(connection.connection)


def _plain_relation(kind: str) -> tuple[str, ...]:
    """Bring a many-to-many table to what the table says, where it says anything."""
    table, through, column = f"catalog_{kind}", f"catalog_movie_{kind}s", f"{kind}_id"
    unfilled = ""
    if kind == "genre":
        unfilled = f"""
            AND (NOT EXISTS (SELECT FROM {through} t WHERE t.movie_id = s.movie_id) OR EXISTS (
                SELECT FROM catalog_fieldsource f
                WHERE f.movie_id = s.movie_id AND f.field = 'genres'
            ))
        """  # noqa: S608 - names from this module
    extra = ", lower(replace(name, ' ', '-'))" if kind == "genre" else ""
    slug = ", slug" if kind == "genre" else ""
    return (
        f"INSERT INTO {table} (name{slug}) SELECT DISTINCT name{extra} FROM stage_{kind} "  # noqa: S608
        "ORDER BY name ON CONFLICT DO NOTHING",
        "TRUNCATE stage_target",
        f"""
        INSERT INTO stage_target (movie_id, other_id)
        SELECT DISTINCT s.movie_id, o.id
        FROM stage_{kind} r JOIN stage_film s ON s.n = r.n JOIN {table} o ON o.name = r.name
        WHERE s.movie_id IS NOT NULL AND {_UNLOCKED.format(field=f"{kind}s")} {unfilled}
        """,  # noqa: S608
        "CREATE INDEX stage_target_films ON stage_target (movie_id, other_id)",
        "ANALYZE stage_target",
        f"""
        WITH extra AS (
            DELETE FROM {through} t
            WHERE EXISTS (SELECT FROM stage_target g WHERE g.movie_id = t.movie_id)
              AND NOT EXISTS (
                SELECT FROM stage_target g
                WHERE g.movie_id = t.movie_id AND g.other_id = t.{column}
              )
            RETURNING movie_id
        ), missing AS (
            INSERT INTO {through} (movie_id, {column})
            SELECT movie_id, other_id FROM stage_target ORDER BY movie_id, other_id
            ON CONFLICT DO NOTHING RETURNING movie_id
        )
        INSERT INTO stage_change (movie_id, field)
        SELECT movie_id, '{kind}s' FROM extra UNION SELECT movie_id, '{kind}s' FROM missing
        """,  # noqa: S608
        "DROP INDEX stage_target_films",
    )


GENRES = _plain_relation("genre")
KEYWORDS = _plain_relation("keyword")
# People are told apart by their name; a film whose credits differ gets them anew.
CREDITS = (
    """
    INSERT INTO catalog_person (name)
    SELECT DISTINCT name FROM stage_credit c
    WHERE NOT EXISTS (SELECT FROM catalog_person p WHERE p.name = c.name)
    ORDER BY name
    """,
    "TRUNCATE stage_target",
    f"""
    INSERT INTO stage_target (movie_id, other_id, role, position)
    SELECT s.movie_id, p.id, c.role, min(c.position)
    FROM stage_credit c
    JOIN stage_film s ON s.n = c.n
    JOIN (SELECT name, min(id) AS id FROM catalog_person GROUP BY name) p ON p.name = c.name
    WHERE s.movie_id IS NOT NULL AND {_UNLOCKED.format(field="credits")}
    GROUP BY s.movie_id, p.id, c.role
    """,  # noqa: S608
    "CREATE INDEX ON stage_target (movie_id)",
    "ANALYZE stage_target",
    """
    INSERT INTO stage_change (movie_id, field)
    SELECT movie_id, 'credits' FROM (
        SELECT movie_id, array_agg((other_id, role, position)::text ORDER BY role, position) AS told
        FROM stage_target GROUP BY movie_id
    ) target
    LEFT JOIN LATERAL (
        SELECT array_agg((person_id, role, position)::text ORDER BY role, position) AS known
        FROM catalog_credit c WHERE c.movie_id = target.movie_id
    ) ours ON true
    WHERE told IS DISTINCT FROM known
    """,
    """
    DELETE FROM catalog_credit WHERE movie_id IN (
        SELECT movie_id FROM stage_change WHERE field = 'credits'
    )
    """,
    """
    INSERT INTO catalog_credit (movie_id, person_id, role, position, character)
    SELECT t.movie_id, t.other_id, t.role, t.position, ''
    FROM stage_target t
    WHERE t.movie_id IN (SELECT movie_id FROM stage_change WHERE field = 'credits')
    ORDER BY t.movie_id, t.position
    """,
)

RETITLED = """
    SELECT DISTINCT c.movie_id FROM stage_change c JOIN stage_film s ON s.movie_id = c.movie_id
    WHERE NOT s.is_new AND c.field IN ('title', 'original_title', 'alternative_titles')
"""
CREATE_NORMALIZED = (
    "CREATE TEMP TABLE stage_normalized (movie_id bigint PRIMARY KEY, title text, "
    "titles varchar[], trigrams varchar[])"
)
COPY_NORMALIZED = "COPY stage_normalized (movie_id, title, titles, trigrams) FROM STDIN"
UPDATE_NORMALIZED = """
    UPDATE catalog_movie m
    SET title_normalized = n.title, titles_normalized = n.titles, title_trigrams = n.trigrams
    FROM stage_normalized n WHERE n.movie_id = m.id
"""

SOURCES = """
    INSERT INTO catalog_fieldsource (movie_id, field, source, updated_at)
    SELECT DISTINCT movie_id, field, %(source)s, now() FROM stage_change
    ON CONFLICT (movie_id, field) DO UPDATE
    SET source = EXCLUDED.source, updated_at = EXCLUDED.updated_at
"""
# Votes and dates: those of an enriched film are newer.
FACTS = """
    INSERT INTO catalog_tmdbfacts AS f
        (movie_id, released_on, vote_average, vote_count, popularity, watch_providers)
    SELECT s.movie_id, s.released_on, s.vote_average, s.vote_count, s.popularity, '{}'
    FROM stage_film s
    WHERE s.movie_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM catalog_enrichmentstate e
        WHERE e.movie_id = s.movie_id AND e.status IN ('done', 'fetched')
    )
    ON CONFLICT (movie_id) DO UPDATE SET
        released_on = COALESCE(EXCLUDED.released_on, f.released_on),
        vote_average = COALESCE(EXCLUDED.vote_average, f.vote_average),
        vote_count = COALESCE(EXCLUDED.vote_count, f.vote_count),
        popularity = COALESCE(EXCLUDED.popularity, f.popularity)
    WHERE (COALESCE(EXCLUDED.released_on, f.released_on),
           COALESCE(EXCLUDED.vote_average, f.vote_average),
           COALESCE(EXCLUDED.vote_count, f.vote_count),
           COALESCE(EXCLUDED.popularity, f.popularity))
        IS DISTINCT FROM (f.released_on, f.vote_average, f.vote_count, f.popularity)
"""
# The day from which TMDB's six months count. A film that waits for another try goes on waiting.
STATES = """
    INSERT INTO catalog_enrichmentstate AS e
        (movie_id, status, tmdb_id, method, sha256, etag, reason, tries, fetched_at)
    SELECT movie_id, 'imported', tmdb_id::integer, '', '', '', '', 0, now()
    FROM stage_film WHERE movie_id IS NOT NULL
    ON CONFLICT (movie_id) DO UPDATE SET
        fetched_at = EXCLUDED.fetched_at,
        status = CASE WHEN e.status = 'due' THEN 'imported' ELSE e.status END
    WHERE e.fetched_at IS NULL
"""

REPORT = """
    SELECT count(*) FILTER (WHERE is_new),
           count(*) FILTER (WHERE movie_id IS NOT NULL AND NOT is_new),
           count(*) FILTER (WHERE movie_id IS NULL)
    FROM stage_film
"""
# New films came with their search vectors.
CHANGED_IDS = """
    SELECT DISTINCT c.movie_id FROM stage_change c JOIN stage_film s ON s.movie_id = c.movie_id
    WHERE NOT s.is_new
"""
