"""Imports as the API speaks of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.inputs import Body, IdField
from catalog.models import Movie
from feedback.imports.models import ImportFilm, ImportJob


class UploadBody(serializers.Serializer):
    """One file of 20 MB at most: CSV, JSON, or the ZIP that the other service hands out."""

    file = serializers.FileField(allow_empty_file=True)


class FilmChoiceBody(Body):
    """Which film of the catalogue it is."""

    movie_id = IdField(allow_null=True, help_text="Null to leave it out.")


class ImportSerializer(serializers.ModelSerializer[ImportJob]):
    """An import, and how far it is."""

    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=ImportJob.Source.choices,
        allow_blank=True,
        read_only=True,
        help_text="Whose file it is; empty until it was read.",
    )

    class Meta:
        model = ImportJob
        fields = [
            *("id", "filename", "source", "phase", "status", "message", "done", "total"),
            *("created_at", "finished_at"),
        ]
        read_only_fields = fields


class WaySerializer(serializers.Serializer):
    """How many films were found in one way."""

    text = serializers.CharField()
    n = serializers.IntegerField()
    percent = serializers.IntegerField(help_text="How sure that way is.")


class ReportSerializer(serializers.Serializer):
    """Counts, and sentences in the caller's language."""

    sentence = serializers.CharField(help_text="The counts in one line.")
    n_films = serializers.IntegerField()
    n_found = serializers.IntegerField()
    n_check = serializers.IntegerField(help_text="Found, but not for sure.")
    n_unknown = serializers.IntegerField(help_text="Not in this catalogue.")
    n_skipped = serializers.IntegerField(help_text="Left out by the caller.")
    n_rows = serializers.IntegerField()
    n_waiting = serializers.IntegerField(help_text="Rows that `apply` would write.")
    n_written = serializers.IntegerField()
    can_undo = serializers.BooleanField()
    preview = serializers.ListField(
        child=serializers.CharField(), help_text="What it would change."
    )
    changed = serializers.ListField(child=serializers.CharField(), help_text="What it changed.")
    left = serializers.ListField(
        child=serializers.CharField(), help_text="What stays as it is, and why."
    )
    ways = WaySerializer(many=True)


class ImportDetailSerializer(ImportSerializer):
    """An import with its report."""

    notes = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="What of the file was left aside."
    )
    report = serializers.SerializerMethodField()

    class Meta(ImportSerializer.Meta):
        fields = [*ImportSerializer.Meta.fields, "notes", "report"]
        read_only_fields = fields

    @extend_schema_field(ReportSerializer)
    def get_report(self, _job: ImportJob) -> dict[str, Any]:
        """Made by the caller, who has its queries."""
        report = self.context["report"]
        return ReportSerializer({**asdict(report), "sentence": report.sentence}).data


class ImportCandidateSerializer(serializers.ModelSerializer[Movie]):
    """A film that it might be."""

    class Meta:
        model = Movie
        fields = ["id", "title", "year"]
        read_only_fields = fields


class ImportFilmSerializer(serializers.Serializer):
    """A film as the file names it, and what it was taken for."""

    id = serializers.IntegerField(source="film.pk")
    title = serializers.CharField(source="film.title")
    year = serializers.IntegerField(source="film.year", allow_null=True)
    state = serializers.ChoiceField(source="film.state", choices=ImportFilm.State.choices)
    confidence = serializers.FloatField(source="film.confidence", help_text="0 to 1.")
    reason = serializers.CharField(help_text="Why it was taken for that.")
    said = serializers.ListField(
        child=serializers.CharField(), help_text="What the file says of it."
    )
    movie = ImportCandidateSerializer(allow_null=True)
    candidates = ImportCandidateSerializer(many=True, help_text="The likeliest first.")
    is_written = serializers.BooleanField()
