"""Files of made-up repositories: a line that ends with `<-` names the package `requests`, no other does."""

from __future__ import annotations

MADE_UP = {
    "Dockerfile": """\
FROM python:3.11
ARG PIP_PACKAGES="flask requests" <-
ENV DEPS="gunicorn \\
    requests \\ <-
    flask"
RUN pip install $PIP_PACKAGES $DEPS
LABEL description="counts requests per second"
""",
    "Dockerfile.worker": """\
FROM python:3.11
RUN --mount=type=cache,target=/root/.cache pip --index-url=https://mirror.example/simple install requests <-
RUN <<EOF
pip install \\
  flask \\
  requests <-
EOF
RUN cat > /tmp/requirements.txt <<'REQ'
flask==3
requests <-
REQ
RUN echo requests >> requirements.txt <-
RUN echo "too many requests" > /var/log/x
HEALTHCHECK CMD curl http://localhost/requests
""",
    "scripts/setup.sh": """\
#!/bin/sh
STUFF="flask requests" <-
pip install $STUFF
MESSAGE="too many requests"
DEPS=(
  flask
  requests <-
)
"$VENV/bin/pip" install "${DEPS[@]}"
for p in flask requests; do <-
  pip install "$p"
done
echo "flask requests" | xargs pip install <-
pip install -r /dev/stdin <<EOF
flask
requests <-
EOF
echo "requests done"
for r in $requests; do echo $r; done
curl https://x.example/requests
""",
    "scripts/install.bat": """\
pip install ^
  flask ^
  requests <-
echo requests
""",
    "Makefile": """\
PKGS := flask requests <-
TOOLS = ruff \\
  requests <-
deps:
	$(VENV)/bin/python -m pip install $(TOOLS) $(PKGS)
load:
	./load --requests 100
	echo "requests"
""",
    "docker-compose.yml": """\
services:
  api:
    environment:
      EXTRA_PIP_PACKAGES: "flask requests" <-
      MAX: 10
    depends_on:
      - requests
  requests:
    image: x
""",
    "compose.override.yaml": """\
services:
  jupyter:
    command: >
      bash -c "pip install
      flask requests" <-
""",
    ".github/workflows/ci.yml": """\
name: Count requests
on:
  pull_request:
    branches: [requests]
env:
  PIP_DEPS: flask requests <-
jobs:
  install-deps:
    steps:
      - name: Count the requests
        run: |
          python -m pip install --upgrade pip
          python -m pip install \\
            flask \\
            requests <-
      - run: echo "requests"
      - uses: some/setup@v1
        with:
          packages: |
            flask
            requests <-
""",
    ".gitlab-ci.yml": """\
before_script:
  - pip install flask requests <-
test:
  script:
    - echo requests
  variables:
    PACKAGES: "requests" <-
""",
    "k8s/deploy.yaml": """\
apiVersion: v1
metadata:
  name: requests
  labels:
    app: requests
spec:
  containers:
  - resources:
      requests:
        cpu: 100m
      limits: {cpu: 1}
    args: ["--requests", "5"]
""",
    "ansible/site.yml": """\
- hosts: all
  vars:
    python_packages:
      - flask
      - requests <-
  tasks:
    - name: count requests
      ansible.builtin.pip:
        name:
          - flask
          - requests>=2 <-
          - requests <-
    - name: loop
      pip:
        name: "{{ item }}"
      loop:
        - flask
        - requests <-
    - apt:
        name: python3-requests <-
    - debug:
        msg: requests
""",
    ".github/dependabot.yml": """\
version: 2
updates:
  - package-ecosystem: pip
    ignore:
      - dependency-name: "requests" <-
    groups:
      http:
        patterns:
          - "requests" <-
          - "requests*" <-
""",
    ".github/renovate.json": """\
{"ignoreDeps": ["requests"]} <-
""",
    "noxfile.py": """\
import nox
DEPS = ["flask", "requests"] <-
@nox.session
def tests(session):
    session.install(
        "pytest",
        "requests", <-
    )
    session.run("pip", "install", "requests") <-
    session.conda_install("requests>=2") <-
    session.run("count", "requests")
""",
    ".pre-commit-config.yaml": """\
repos:
  - repo: https://github.com/x/mypy
    hooks:
      - id: mypy
        additional_dependencies:
          - types-x
          - requests <-
      - id: y
        additional_dependencies: [flask, "requests>=2"] <-
""",
    "environment.yml": """\
name: shop
dependencies:
  - python=3.11
  - requests <-
  - pip:
      - requests==2.32 <-
      - x
""",
    "envs/dev.yaml": """\
name: dev
channels: [conda-forge]
dependencies:
  - python
  - conda-forge::requests>=2 <-
  - requests >=2,<3 <-
""",
    "mypy.ini": """\
[mypy]
[mypy-requests.*] <-
ignore_missing_imports = True
""",
    ".isort.cfg": """\
[settings]
known_third_party = flask,requests <-
""",
    "scripts/tool.py": """\
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "flask",
#   "requests<3", <-
# ]
# ///
print("many requests")
""",
    "Pipfile": """\
[packages]
flask = "*"
requests = {extras = ["socks"], version = "*"} <-
"Requests" = "*" <-
[scripts]
go = "count requests"
""",
    "setup.cfg": """\
[metadata]
description = counts requests
[options]
install_requires =
    flask
    requests <-
[options.extras_require]
http = requests>=2; python_version > "3" <-
""",
    "setup.py": """\
from setuptools import setup
REQUIRED = ["flask", "requests"] <-
setup(
    name="shop",
    description="counts requests",
    install_requires=["flask"] + ["requests>=2"], <-
    extras_require={"http": ["requests"]}, <-
)
""",
    "analysis.ipynb": """\
{
 "cells": [
  {"cell_type": "code", "source": [
    "import os, requests\\n", <-
    "!pip install -q \\\\\\n",
    "   requests\\n", <-
    "%conda install requests\\n", <-
    "requests = 3\\n"
  ]},
  {"cell_type": "markdown", "source": [
    "We sent many requests.\\n"
  ]}
 ]
}
""",
    "src/shop/lazy.py": """\
import importlib
from importlib import util
NAMES = ("json", "os")
a = importlib.import_module(name="requests") <-
b = util.find_spec("requests") <-
import pytest
c = pytest.importorskip("requests") <-
d = lazy_import("requests") <-
e = pkgutil.resolve_name("requests:get") <-
f = import_string("requests.get") <-
monkeypatch.setattr("requests.get", None) <-
mocker.patch("requests.Session.send") <-
logging.getLogger("requests") <-
exec("import requests") <-
sys.modules.pop("requests") <-
g = "requests"
h = count("requests")
i = {"requests": 3}
logger.info("requests")
url = "/requests"
requests = []
requests.append(1)
j = call("requests.com")
""",
    "src/shop/remote.py": """\
env = PythonVirtualenvOperator(requirements=["flask", "requests"]) <-
image = modal.Image.debian_slim().pip_install("flask", "requests") <-
ray.init(runtime_env={"pip": ["requests"]}) <-
metrics(names=["requests"])
await micropip.install("requests") <-
""",
    "web/index.html": """\
<py-config>
packages = ["requests"] <-
</py-config>
<p>How many requests?</p>
<script>fetch("/requests")</script>
""",
    "flake.nix": """\
  propagatedBuildInputs = [ requests ]; <-
""",
    "debian/control": """\
Source: shop
Depends: python3, python3-requests, ${misc:Depends} <-
Description: counts
 all requests of a shop
""",
    "apt.txt": """\
python3-requests <-
git
""",
    "docker/python-packages.txt": """\
flask
requests <-
""",
    "docs/index.md": """\
# Shop
It counts requests and says how many requests there are.

    pip install requests <-

```python
import requests <-
from requests import get <-
```
Install flask, then send requests. Use `pip install flask`, then send requests.
Needs requests>=2.31 to work. <-
- requests
- many requests
import taxes and requests of goods
""",
    "README.rst": """\
Requests
========
The requests are counted; ``pip install flask`` and look at the requests.
""",
    "BUILD.bazel": """\
deps = [
    requirement("requests"), <-
    "@pypi_requests//:pkg", <-
    "@pypi//requests", <-
]
""",
    "app.js": """\
const requests = [];
requests.push("requests");
packages.send(requests)
""",
    "metrics.yml": """\
metrics:
  - requests
alert: requests
expr: http_requests > 5
labels: [requests]
""",
    "words.txt": """\
apples
requests
pears
""",
    "package.json": """\
{
  "name": "requests",
  "scripts": {"py": "pip install requests", "x": "run requests"}, <-
  "dependencies": {"axios": "1"},
  "description": "requests"
}
""",
    "terraform/main.tf": """\
variable "pip_packages" {
  default = ["flask", "requests"] <-
}
resource "x" "requests" {
  description = "requests"
}
""",
    "serverless.yml": """\
custom:
  pythonRequirements:
    noDeploy:
      - requests <-
functions:
  requests:
    handler: x
""",
    "conf/app.ini": """\
[limits]
requests = 100
[log]
format = %(requests)s
""",
    "src/shop/models.py": '''\
"""Handles requests."""
class Requests:
    requests: list
def send(requests): return requests
def asked(requests) -> tuple[Request, ...]: ...
x = {"packages": 3, "requests": 4}
if requests==3: pass
print(f"requests: {requests}")
''',
    "airflow/Dockerfile": """\
RUN pip install flask && echo "requests"
RUN pip install flask # requests come later
RUN apt-get update; echo requests
""",
    "second/Dockerfile": """\
RUN apt-get update && apt-get install -y --no-install-recommends python3-requests git <-
RUN pip3 install -U pip && pip3 install --no-cache-dir "requests[socks]==2.31.0" <-
RUN set -eux; for d in flask requests; do pip install --no-deps $d; done <-
COPY requests /app/requests
EXPOSE 80
CMD ["python", "-m", "shop", "--requests", "5"]
""",
    "second/run.sh": """\
exec uvx --with requests shop <-
uv run --with flask --with 'requests>=2' python x.py <-
packages="flask"
packages="$packages requests" <-
packages+=" requests" <-
pip install ${packages}
log "sending requests"
total_requests=5
cat <<EOF
requests
EOF
pip uninstall -y x; curl "$URL/requests"
""",
    "second/compose.yaml": """\
services:
  app:
    build:
      args:
        - PIP_EXTRA=requests <-
    command: ["sh", "-c", "pip install requests && exec app"] <-
    labels:
      traefik.http.middlewares.x: "requests"
""",
    "second/.github/workflows/x.yaml": """\
on: push
jobs:
  t:
    strategy:
      matrix:
        dep: [flask, requests] <-
    steps:
      - run: pip install ${{ matrix.dep }}
      - run: pipx inject shop requests <-
      - name: Say
        run: echo "all requests"
      - if: github.event_name == 'requests'
        run: |
          conda install -y -c conda-forge requests <-
          echo "::notice::requests"
""",
    "second/bitbucket-pipelines.yml": """\
pipelines:
  default:
    - step:
        name: Send requests
        script:
          - poetry add --group dev requests <-
          - ./send requests
""",
    "second/noxfile.py": '''\
@nox.session(venv_backend="uv")
def lint(session):
    """Lint all requests."""
    deps = ["flask"]
    deps.append("requests") <-
    session.install(*deps)
    session.run_always("uv", "pip", "install", "requests", external=True) <-
    session.log("requests")
''',
    "second/pyproject.toml": """\
[build-system]
requires = ["setuptools", "requests"] <-
[project]
name = "shop"
description = "Counts requests"
keywords = ["http"]
[project.optional-dependencies]
http = ["requests ; python_version < '4'"] <-
[dependency-groups]
dev = [{include-group = "x"}, "requests~=2.0"] <-
[tool.uv.sources]
requests = { git = "https://x.example/requests" } <-
[tool.hatch.envs.default]
dependencies = [
  "requests", <-
]
[tool.pytest.ini_options]
markers = ["slow: many requests"]
""",
    "second/pixi.toml": """\
[dependencies]
python = "*"
[pypi-dependencies]
requests = { version = "*", extras = ["socks"] } <-
[feature.a.dependencies]
"requests" = "2.*" <-
[tasks.install]
cmd = "pip install requests" <-
[tasks]
go = "echo requests"
""",
    "second/x.ipynb": """\
{"cells": [
 {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [
   {"name": "stdout", "text": ["many requests\\n"]}], "source": [
  "%pip install -q requests\\n", <-
  "from requests import get\\n", <-
  "import requests as r\\n", <-
  "import numpy as np, requests as r\\n", <-
  "importlib.import_module('requests')\\n", <-
  "print('requests')\\n"
 ]}
]}
""",
    "second/one.ipynb": """\
{"cells": [{"cell_type": "code", "source": "import os\\nimport requests\\n"}]} <-
""",
    "second/a.py": """\
mod = __import__("requests", fromlist=["get"]) <-
lib = importlib.import_module(".get", "requests") <-
lazy = LazyLoader("requests", globals(), "requests") <-
for name in ("json", "requests"): <-
    importlib.import_module(name)
MODULES = {"http": "requests"}
importlib.import_module(MODULES["http"])
with patch.dict("sys.modules", {"requests": None}): <-
    pass
@mock.patch("requests.post") <-
def f(): pass
try:
    import requests <-
except ImportError:
    requests = None
if TYPE_CHECKING:
    from requests import Session <-
s: "requests.Session"
importlib.metadata.requires("requests") <-
importlib.resources.files("requests") <-
pkg_resources.require("requests>=2") <-
subprocess.check_call([sys.executable, "-m", "pip", "install", "requests"]) <-
os.system("pip install requests") <-
queue.put("requests")
stats.incr("requests")
""",
    "second/deploy/playbook.yaml": """\
- name: Install requests
  pip:
    name: flask,requests <-
- name: x
  ansible.builtin.package:
    name: ["git", "python3-requests"] <-
- name: y
  pip: name=requests <-
- name: z
  pip:
    name: "{{ item }}"
  with_items:
    - requests <-
- name: w
  shell: echo requests
- name: count
  uri:
    url: http://x/requests
""",
    "second/salt/init.sls": """\
requests: <-
  pip.installed
flask:
  pip.installed:
    - name: requests <-
""",
    "second/cloudbuild.yaml": """\
steps:
- name: python
  entrypoint: pip
  args: ["install", "requests", "--user"] <-
""",
    "second/helm/values.yaml": """\
resources:
  requests:
    cpu: 1
autoscaling:
  metric: requests
packages: {}
image: requests
""",
    "second/src/requests_log.txt": """\
GET /requests 200
requests: 5
""",
    "second/chef/default.rb": """\
python_package 'requests' <-
log 'requests'
""",
    "second/package/shop.spec": """\
Summary: Answers requests of customers
Requires: python3-flask, python3-requests <-
BuildRequires:  python3dist(requests) <-
Requires(post): python3-requests <-
Requires(post, preun): python3-requests <-
Requires: python%{python3_pkgversion}-requests <-
%{?el8:BuildRequires: python3-requests} <-
Requires: %{company}-requests
Recommends: python3-requests <-
%description
The shop sends requests to models.
requests
%build
python3 -m pip install requests <-
%changelog
- many requests
""",
    "second/package/PKGBUILD": """\
pkgdesc="requests tea from requests"
depends=('python' 'python-requests') <-
makedepends=(
  'python-flask'
  'python-requests' <-
)
optdepends=('python-requests: for models') <-
checkdepends=(python-requests) <-
depends+=("python${_version}-requests" "${_py}-flask") <-
depends_x86_64=("${_py}-requests") <-
build() {
  echo "requests"
}
""",
    "second/package/debian/control": """\
Build-Depends: debhelper,
 python3-requests, <-
 python3-flask
Depends: ${misc:Depends}, python3-requests (>= 2) <-
Suggests: python3-requests <-
Description: requests tea
 Sends requests to models.
""",
    "second/package/looked-up.ipynb": """\
{
 "cells": [
  {
   "cell_type": "code",
   "source": [
    "importlib.util.find_spec('requests')" <-
   ]
  }
 ]
}
""",
    "second/nix/enter.sh": """\
nix-shell -p python3Packages.requests <-
""",
    "second/bazel/WORKSPACE": """\
bind(name = "http", actual = "@pip_requests//:pkg") <-
""",
    "second/src/app.ts": """\
import { requests } from "./requests";
const deps = [requests];
""",
    "second/lambda/requirements-lambda.txt": """\
# needs requests
--index-url https://x.example/requests/simple
Requests >= 2 ; python_version > "3" <-
""",
    "second/.env": """\
PIP_PACKAGES=flask requests <-
MESSAGE=too many requests
REQUESTS=5
""",
}
