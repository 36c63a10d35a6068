"""Images in: a set by name, or from your own folder or zip of images, and the batches that feed a training loop.

    images = data.load("mnist")              # or data.load("my-photos/", size=28, channels=1)
    batches = data.batches(images, 128, transform=data.symmetric)
    data.remarks("my-photos/", size=28)      # before a training: too few, mixed sizes, one colour

sets: `load`, by name · folders: images of your own · batching: `batches`, bytes to floats and back ·
downloads: files from the network, believed only where their checksum is right ·
animals: horses and zebras of polygons, drawn on the spot.
"""

from gan_lessons.data.batching import (
    Batches,
    Images,
    Transform,
    batches,
    centre,
    flat,
    parted,
    symmetric,
    to_bytes,
    unit,
)
from gan_lessons.data.downloads import DamagedFile, DatasetUnavailable
from gan_lessons.data.folders import remarks
from gan_lessons.data.sets import load

__all__ = [
    "Batches",
    "DamagedFile",
    "DatasetUnavailable",
    "Images",
    "Transform",
    "batches",
    "centre",
    "flat",
    "load",
    "parted",
    "remarks",
    "symmetric",
    "to_bytes",
    "unit",
]
