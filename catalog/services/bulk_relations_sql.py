"""The statements of ``services.bulk`` for genres, keywords and credits; see ``bulk_sql``."""

from __future__ import annotations

from catalog.services.bulk_sql import UNLOCKED


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
        WHERE s.movie_id IS NOT NULL AND {UNLOCKED.format(field=f"{kind}s")} {unfilled}
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
    WHERE s.movie_id IS NOT NULL AND {UNLOCKED.format(field="credits")}
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
