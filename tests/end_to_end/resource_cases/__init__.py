"""Wrong and right resources of both clouds: the twin refuses and accepts them as the clouds do."""
