"""The alert rules: by promtool, and against two hundred simulated kiosks in a real Prometheus."""

import json
import re
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from kiosk.health.metrics import Snapshot, exposition
from tests.health import prometheus
from tests.health.kiosks import BROKEN, certificate_ends, exporters, healthy, reader_lost, records_wait
from tests.uploader.service.tls_server import Authority

ROOT = Path(__file__).resolve().parents[2]
FLEET = ROOT / "deploy" / "fleet"
RULES = (FLEET / "alert-rules.yml", FLEET / "recording-rules.yml")
TESTS = Path(__file__).with_name("alerts.test.yml")
KIOSKS = 200


def promtool(*words: object) -> str:
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def alerts() -> list[str]:
    groups = yaml.safe_load(RULES[0].read_text(encoding="utf-8"))["groups"]
    return [rule["alert"] for group in groups for rule in group["rules"]]


def test_promtool_accepts_rules_and_agent() -> None:
    promtool("check", "rules", *RULES)
    promtool("check", "config", "--agent", "--syntax-only", FLEET / "agent.yml")


def test_promtool_s_tests_of_the_rules_pass() -> None:
    promtool("test", "rules", TESTS)


def test_every_alert_is_tried_and_can_fire() -> None:
    cases = [
        case
        for test in yaml.safe_load(TESTS.read_text())["tests"]
        for case in test.get("alert_rule_test", [])
    ]
    fired = {case["alertname"] for case in cases if case.get("exp_alerts")}
    assert fired == set(alerts())


def test_the_rules_use_only_what_a_kiosk_shows() -> None:
    shown = set(re.findall(rb"^(kiosk_\w+)", exposition(healthy(1, 1e9)), re.MULTILINE))
    known = {name.decode() for name in shown}
    used = set(re.findall(r"\bkiosk_\w+", " ".join(path.read_text(encoding="utf-8") for path in RULES)))
    assert used - known == set()


def test_every_figure_stands_in_the_document() -> None:
    document = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(kiosk_\w+)", document))
    shown = re.findall(rb"^# TYPE (kiosk_\w+)", exposition(full_snapshot()), re.MULTILINE)
    assert named == {name.decode() for name in shown}


def full_snapshot() -> Snapshot:
    """A kiosk that reports every figure."""
    shot = healthy(1, 1e9)
    return replace(shot, machine=replace(shot.machine, throttled_flags=0))


def test_the_figures_are_well_formed_and_name_nobody() -> None:
    good = healthy(1, 1.8e9)
    for shot in (good, records_wait(good), reader_lost(good), certificate_ends(good)):
        text = exposition(shot)
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert not re.search(rb"visit=|receipt|staff|[0-9a-f]{8}-[0-9a-f]{4}-", text)


@pytest.fixture
def quick_rules(tmp_path: Path) -> list[str]:
    """The same rules with every waiting time and interval cut short, and nothing else changed."""
    names = []
    for path in RULES:
        text = re.sub(r"^(\s*)for: \w+$", r"\1for: 3s", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        text = re.sub(r"^(\s*)interval: \w+$", r"\1interval: 1s", text, flags=re.MULTILINE)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
        names.append(path.name)
    return names


def client_context(authority: Authority) -> tuple[ssl.SSLContext, dict[str, str]]:
    """Who pushes and who asks; the paths are for the agent."""
    pair = authority.issue("client")
    context = ssl.create_default_context(cafile=str(authority.ca))
    context.load_cert_chain(pair.certificate, pair.key)
    paths = {
        "/etc/prometheus/fleet-ca.pem": str(authority.ca),
        "/etc/prometheus/fleet-client.pem": str(pair.certificate),
        "/etc/prometheus/fleet-client.key": str(pair.key),
    }
    return context, paths


def web_config(authority: Authority) -> dict[str, object]:
    """TLS 1.3 with client certificates, as whoever receives the pushes has it."""
    pair = authority.issue("prometheus")
    return {
        "tls_server_config": {
            "cert_file": str(pair.certificate),
            "key_file": str(pair.key),
            "client_auth_type": "RequireAndVerifyClientCert",
            "client_ca_file": str(authority.ca),
            "min_version": "TLS13",
        }
    }


def test_alerts_fire_for_the_three_that_are_broken_and_for_no_other(
    tmp_path: Path, quick_rules: list[str], authority: Authority
) -> None:
    """One more kiosk sits behind NAT: an agent with the configuration of deploy/ pushes its figures in."""
    context, paths = client_context(authority)
    with exporters() as kiosks:
        targets = [
            {
                "targets": [f"127.0.0.1:{kiosks.port}"],
                "labels": {"kiosk": f"K{number:03}", "__metrics_path__": f"/K{number:03}"},
            }
            for number in range(1, KIOSKS + 1)
        ]
        config = {
            "global": {"scrape_interval": "5s", "evaluation_interval": "1s"},
            "rule_files": quick_rules,
            "scrape_configs": [
                {
                    "job_name": "kiosks",
                    "static_configs": targets,
                    "metric_relabel_configs": [{"action": "labeldrop", "regex": "instance|job"}],
                }
            ],
        }
        (tmp_path / "central.yml").write_text(json.dumps(config), encoding="utf-8")
        (tmp_path / "web.yml").write_text(json.dumps(web_config(authority)), encoding="utf-8")
        options = (
            f"--web.config.file={tmp_path / 'web.yml'}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            "--web.enable-remote-write-receiver",
        )
        agent_options = ("--enable-feature=agent", f"--storage.agent.path={tmp_path / 'wal'}")
        with prometheus.running(
            tmp_path / "central", tmp_path / "central.yml", *options, context=context
        ) as central:
            agent = agent_config(tmp_path, paths, kiosks.port, central.port)
            with prometheus.running(tmp_path / "agent", agent, *agent_options):
                watch(central)


def agent_config(folder: Path, paths: dict[str, str], exporter: int, central: int) -> Path:
    """deploy/fleet/agent.yml with what provisioning fills in."""
    text = (FLEET / "agent.yml").read_text(encoding="utf-8")
    filled = paths | {
        '"KIOSK"': '"K201"',
        "127.0.0.1:9100": f"127.0.0.1:{exporter}",
        "https://HOST/": f"https://127.0.0.1:{central}/",
        "scrape_interval: 30s": "scrape_interval: 1s",
    }
    for placeholder, value in filled.items():
        assert placeholder in text, placeholder
        text = text.replace(placeholder, value)
    (folder / "agent.yml").write_text(text, encoding="utf-8")
    return folder / "agent.yml"


def watch(central: prometheus.Prometheus) -> None:
    """Wait for the three, give the rest time to go wrong, and look once more."""
    wanted = {
        ("KioskRecordsWait", "K017", "firing"),
        ("KioskReaderDown", "K101", "firing"),
        ("KioskCertificateEnds", "K200", "firing"),
    }
    assert {int(kiosk[1:]) for _, kiosk, _ in wanted} == set(BROKEN)
    everyone = {f"K{number:03}" for number in range(1, KIOSKS + 2)}

    def seen() -> set[str]:
        return {labels["kiosk"] for labels, _ in central.query("kiosk_build_info")}

    central.until(lambda: seen() == everyone, "not every kiosk is seen, or the agent does not push")
    central.until(lambda: wanted <= central.alerts(), "the three do not fire")
    central.until(lambda: evaluations(central) >= 8, "the rules are not evaluated")
    assert central.alerts() == wanted
    assert central.query("fleet:kiosks:up") == [({"__name__": "fleet:kiosks:up"}, float(KIOSKS + 1))]
    assert central.query("fleet:kiosks:offline") == [({"__name__": "fleet:kiosks:offline"}, 1.0)]


def evaluations(central: prometheus.Prometheus) -> int:
    """How often the alerts' group has been evaluated, by the samples that its alerts left."""
    found = central.query('count_over_time(ALERTS{alertname="KioskReaderDown",alertstate="firing"}[5m])')
    return int(max((n for _, n in found), default=0))
