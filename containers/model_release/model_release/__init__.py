"""Releases of models: copies that nothing changes, with a manifest of digests and a log of promotions.

    RELEASES_URI/{team}/{model}/{version}/model/...        files of the model
    RELEASES_URI/{team}/{model}/{version}/card.json        the model card
    RELEASES_URI/{team}/{model}/{version}/manifest.json    written last: a version without it is unfinished
    RELEASES_URI/imports/{team}/{model}/{version}/          the same of an import, until it is promoted
    RELEASES_URI/{team}/{model}/promotions/{time}-{version}.json    append only

Every object is created once, by a conditional write. No command overwrites or deletes one.
"""
