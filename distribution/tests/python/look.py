"""Reads a repository with python-tuf's client: look.py ROOT FOLDER CACHE PATH... prints {path: sha256} as JSON."""

import hashlib
import json
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface


class Files(FetcherInterface):
    def _fetch(self, url):
        path = Path(unquote(urlparse(url).path))
        if not path.is_file():
            raise DownloadHTTPError("not there", 404)
        yield path.read_bytes()


root, folder, cache, *paths = sys.argv[1:]
Path(cache, "targets").mkdir(parents=True, exist_ok=True)
updater = Updater(
    metadata_dir=cache,
    metadata_base_url=f"file://{folder}/metadata/",
    target_dir=f"{cache}/targets",
    target_base_url=f"file://{folder}/targets/",
    fetcher=Files(),
    bootstrap=Path(root).read_bytes(),
)
updater.refresh()
found = {}
for path in paths:
    info = updater.get_targetinfo(path)
    if info is None:
        found[path] = None
        continue
    data = Path(updater.download_target(info)).read_bytes()
    found[path] = hashlib.sha256(data).hexdigest()
print(json.dumps(found))
