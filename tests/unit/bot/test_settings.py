"""Settings: where they come from, what goes over what, and one clear line for every mistake."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import ConfigurationError
from bot.settings import Settings, load
from bot.settings.agents import QUARTERMASTER, TASKMASTER
from bot.settings.keys import Key, every
from bot.settings.sources import PLAIN_NAMES, PREFIX, variable
from bot.settings.template import render_config, render_env
from gadgets.catalogue import ALL, GENERAL
from gadgets.field_gadgets import FIELD_MISSION

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without files, and an environment without variables of ours."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name in PLAIN_NAMES or name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    return tmp_path


def refused(config: Path | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(config)
    return str(caught.value).splitlines()


def write(text: str, name: str = "config.toml") -> None:
    Path(name).write_text(text, encoding="utf-8")


class TestSources:
    def test_without_any_file_the_defaults_are_complete(self) -> None:
        settings = load()
        assert settings == Settings()
        assert (settings.agent, settings.web.port, settings.model.num_ctx) == ("quartermaster", 8321, 8192)
        assert settings.agents[QUARTERMASTER].gadgets == (*(each.name for each in GENERAL), "*")
        assert settings.agents[TASKMASTER].gadgets == tuple(each.name for each in FIELD_MISSION)
        assert set(settings.gadgets) == {each.name for each in ALL}

    def test_environment_goes_over_env_file_over_config_over_defaults(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("[web]\nport = 1\n[limits]\nrounds = 11\ncalls_per_round = 12\n[model]\nnum_ctx = 1000\n")
        write("SECRET_AGENTS_LIMITS__ROUNDS=21\nSECRET_AGENTS_LIMITS__CALLS_PER_ROUND=22\n", ".env")
        monkeypatch.setenv("SECRET_AGENTS_LIMITS__CALLS_PER_ROUND", "32")
        settings = load()
        assert settings.web.port == 1
        assert settings.model.num_ctx == 1000
        assert (settings.limits.rounds, settings.limits.calls_per_round) == (21, 32)
        assert settings.limits.attempts == 20

    @pytest.mark.parametrize("name", sorted(PLAIN_NAMES))
    def test_every_plain_name_sets_its_key(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_AGENTS_SLACK__ENABLED", "false")
        monkeypatch.setenv(name, "http://elsewhere:1")
        found: object = load()
        for key in PLAIN_NAMES[name]:
            found = found[key] if isinstance(found, dict) else getattr(found, key)
        secret = getattr(found, "get_secret_value", lambda: found)
        assert secret() == "http://elsewhere:1"

    def test_our_own_name_goes_over_the_plain_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OLLAMA_HOST", "http://plain:1")
        monkeypatch.setenv("SECRET_AGENTS_OLLAMA__HOST", "http://own:2")
        assert load().ollama.host == "http://own:2"

    def test_an_empty_variable_counts_as_unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DISCORD_TOKEN", "")
        monkeypatch.setenv("SECRET_AGENTS_WEB__PORT", "")
        assert load() == Settings()

    @pytest.mark.parametrize(
        ("name", "text", "read"),
        [
            ("AGENT", "moneypenny", lambda s: s.agent),
            ("WEB__PORT", 80, lambda s: s.web.port),
            ("WEB__ENABLED", False, lambda s: s.web.enabled),
            ("MODEL__TEMPERATURE", 0.5, lambda s: s.model.temperature),
            ("MODEL__NAME", "123", lambda s: s.model.name),
            ("ADMINS__DISCORD", ["1", "2"], lambda s: list(s.admins.discord)),
            ("AGENTS__QUARTERMASTER__TEMPERATURE", 1.5, lambda s: s.agents["quartermaster"].temperature),
            ("AGENTS__MONEYPENNY", {"prompt": "Brief."}, lambda s: {"prompt": s.agents["moneypenny"].prompt}),
        ],
    )
    def test_text_of_the_environment_is_converted(
        self, name: str, text: object, read: Callable[[Settings], object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write('[agents.moneypenny]\nprompt = "Short."\n')
        monkeypatch.setenv(PREFIX + name, text if isinstance(text, str) else json.dumps(text))
        assert read(load()) == text

    def test_a_named_file_is_read_and_must_exist(self, tmp_path: Path) -> None:
        write("[web]\nport = 5\n", "other.toml")
        assert load(tmp_path / "other.toml").web.port == 5
        assert refused(Path("missing.toml")) == ["missing.toml: cannot be read: No such file or directory"]

    def test_foreign_variables_in_the_env_file_are_ignored(self) -> None:
        write("COMPOSE_PROJECT_NAME=x\nDISCORD_TOKEN='a${b}#c'\n", ".env")
        token = load().discord.token
        assert token is not None
        assert token.get_secret_value() == "a${b}#c"

    def test_a_single_key_of_the_shipped_agent_can_be_overridden(self) -> None:
        write('[agents.quartermaster]\ntemperature = 1.0\n[agents.q]\nprompt = "Hi."\ngadgets = []\n')
        agents = load().agents
        assert agents["quartermaster"].temperature == 1.0
        assert agents["quartermaster"].prompt == Settings().agents["quartermaster"].prompt
        assert agents["q"].gadgets == ()


class TestMistakes:
    @pytest.mark.parametrize(
        ("toml", "line"),
        [
            ("[web]\nprot = 1", "[web] prot: is not a known key; did you mean port?"),
            ("[wbe]\nport = 1", "[wbe]: is not a known section; did you mean web?"),
            ("agnet = 'x'", "agnet: is not a known key; did you mean agent?"),
            ("web = 1", "[web]: must be a table of keys"),
            ("[web]\nport = '80'", "[web] port: must be a whole number"),
            ("[web]\nport = true", "[web] port: must be a whole number"),
            ("[web]\nport = 65536", "[web] port: must be at most 65535"),
            ("[web]\nenabled = 1", "[web] enabled: must be true or false"),
            ("[model]\nname = 3", "[model] name: must be text (in quotes)"),
            ("[model]\ntemperature = nan", "[model] temperature: must be at most 2"),
            ("[model]\nprotocol = 'xml'", "[model] protocol: must be one of 'auto', 'json' or 'native'"),
            ("[admins]\nweb = 'me'", '[admins] web: must be a list such as ["a", "b"]'),
            ("[admins]\nweb = ['me', 2]", "[admins] web item 2: must be text (in quotes)"),
            ("[ollama]\nhost = 'ftp://x'", "[ollama] host: must be a URL such as http://127.0.0.1:11434"),
            ("[ollama]\nhost = 'x:port'", "[ollama] host: must be a URL such as http://127.0.0.1:11434"),
            ("[openai]\nbase_url = 'x'", "[openai] base_url: must be a URL that begins with http:// or https://"),
            ("[discord]\ngateway_url = 'http://x'", "[discord] gateway_url: must be a URL that begins with ws:// or wss://"),
            ("[storage]\nurl = 'data.db'", "[storage] url: must be a URL such as sqlite:///data/secret-agents.db"),
            ("agent = 'quatermaster'", "agent: names an agent that does not exist; did you mean quartermaster?"),
            ("[agents.x]", "[agents.x] prompt: is missing"),
            ("[agents.x]\nprompt = ''", "[agents.x] prompt: must not be empty"),
            ("[gadgets.wether]", "[gadgets.wether]: is not a known section; did you mean weather?"),
        ],
    )  # fmt: skip
    def test_a_mistake_in_the_file_is_one_clear_line(self, toml: str, line: str) -> None:
        write(toml)
        assert refused() == [line]

    def test_an_agent_cannot_use_a_gadget_that_does_not_exist(self) -> None:
        write('[agents.quartermaster]\ngadgets = ["weathr"]')
        line = "[agents.quartermaster] gadgets: names a gadget that does not exist, 'weathr'; did you mean weather?"
        assert refused() == [line]

    def test_the_embedded_model_is_the_only_one_there_is(self) -> None:
        write('[model]\nprovider = "embedded"\n[agents.q]\nprompt = "x"\nmodel = "qwen3:8b"')
        (line,) = refused()
        assert line == '[agents.q] model: must be empty while [model] provider is "embedded": that is one model'
        write('[model]\nprovider = "ollama"\n[agents.q]\nprompt = "x"\nmodel = "qwen3:8b"')
        assert load().agents["q"].model == "qwen3:8b"

    def test_auto_stands_for_any_agent_and_is_none_itself(self) -> None:
        write('agent = "auto"')
        assert load().agent == "auto"
        write('[agents.auto]\nprompt = "x"')
        (line,) = refused()
        assert line.startswith('[agents.auto]: must have another name: agent = "auto" lets the model choose')

    def test_an_agent_has_a_lower_case_name(self) -> None:
        write('[agents."Bad Name"]\nprompt = "x"')
        (line,) = refused()
        assert line.startswith("[agents.Bad Name]: must be a lower-case name")

    def test_a_mistake_in_the_environment_names_the_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_AGENTS_WEB__PROT", "1")
        write("SECRET_AGENTS_MODEL__NUM_CTX=many\n", ".env")
        assert refused() == [
            "[model] num_ctx: must be a whole number (set by SECRET_AGENTS_MODEL__NUM_CTX in .env)",
            "[web] prot: is not a known key; did you mean port? (set by SECRET_AGENTS_WEB__PROT)",
        ]

    def test_a_text_where_a_section_belongs_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_AGENTS_WEB", "on")
        monkeypatch.setenv("SECRET_AGENTS_WEB__PORT", "1")
        assert refused() == ["[web]: must be a table of keys (set by SECRET_AGENTS_WEB)"]

    def test_all_mistakes_are_told_at_once_and_sorted(self) -> None:
        write("[web]\nport = 'x'\n[log]\nlevel = 'x'\n[discord]\nenabled = true\n")
        assert [line.split(":")[0] for line in refused()] == ["[discord] token", "[log] level", "[web] port"]

    def test_a_broken_file_is_one_line_with_the_place(self) -> None:
        write("[web]\nport = \n")
        (line,) = refused()
        assert re.fullmatch(r"config\.toml: is not valid TOML: .*at line 2, column 8\)", line)

    def test_a_file_in_another_encoding_is_refused(self) -> None:
        Path("config.toml").write_bytes('# ok\nagent = "Ä"'.encode("latin-1"))
        assert refused() == ["config.toml: is not UTF-8 text (line 2); save it as UTF-8"]

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        assert refused(tmp_path) == [f"{tmp_path}: cannot be read: Is a directory"]

    def test_a_broken_line_of_the_env_file_is_named(self) -> None:
        write("A=1\nSECRET_AGENTS_WEB__ACCESS_TOKEN='unfinished\n", ".env")
        assert refused() == [".env line 2: must be NAME=value"]


class TestSecrets:
    @pytest.mark.parametrize("key", [key for key in every() if key.secret], ids=lambda key: ".".join(key.path))
    def test_a_secret_in_the_file_is_refused_without_showing_it(self, key: Key) -> None:
        path = key.path
        write(f'[{".".join(path[:-1])}]\n{path[-1]} = "hush-hush-hush-hush"')
        (line,) = refused()
        assert line.endswith(f"move it to .env or the environment as {variable(path)}")
        assert "hush" not in line

    @pytest.mark.parametrize(
        ("variables", "lines"),
        [
            (
                {"DISCORD__ENABLED": "true"},
                ["[discord] token: is missing; set DISCORD_TOKEN in .env, or enabled = false"],
            ),
            (
                {"SLACK__ENABLED": "true"},
                [
                    "[slack] app_token: is missing; set SLACK_APP_TOKEN in .env, or enabled = false",
                    "[slack] bot_token: is missing; set SLACK_BOT_TOKEN in .env, or enabled = false",
                ],
            ),
            (
                {"SLACK__BOT_TOKEN": "x", "SLACK__MODE": "http"},
                ["[slack] signing_secret: is missing; set SLACK_SIGNING_SECRET in .env, or enabled = false"],
            ),
            (
                {"MODEL__PROVIDER": "openai"},
                ['[openai] api_key: is missing; set OPENAI_API_KEY in .env, or base_url = "your server"'],
            ),
        ],
    )  # fmt: skip
    def test_a_missing_secret_is_a_line_that_says_what_to_do(
        self, variables: dict[str, str], lines: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(PREFIX + name, value)
        assert refused() == lines

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "bot.example.org", "127.0.0.1.example.org"])
    def test_a_page_that_others_can_reach_needs_an_access_token(
        self, host: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET_AGENTS_WEB__HOST", host)
        (line,) = refused()
        assert line.startswith("[web] access_token: is missing")
        monkeypatch.setenv("SECRET_AGENTS_WEB__ACCESS_TOKEN", "x" * 15)
        (line,) = refused()
        assert "at least 16 characters" in line
        monkeypatch.setenv("SECRET_AGENTS_WEB__ACCESS_TOKEN", "x" * 16)
        assert load().web.host == host

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
    def test_a_page_for_this_machine_needs_none(self, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_AGENTS_WEB__HOST", host)
        assert load().web.access_token is None

    def test_a_secret_is_shown_neither_by_errors_nor_by_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in PLAIN_NAMES:
            monkeypatch.setenv(name, "http://hush")
        monkeypatch.setenv("SECRET_AGENTS_WEB__ACCESS_TOKEN", "hush-hush-hush-hush")
        assert "hush" not in repr(load()).replace("http://hush:80", "")
        monkeypatch.setenv("SECRET_AGENTS_WEB__ACCESS_TOKEN", "hush")
        assert "hush" not in "\n".join(refused())

    def test_a_platform_is_on_when_its_token_is_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert not load().discord.on
        monkeypatch.setenv("DISCORD_TOKEN", "x")
        assert load().discord.on
        write("[discord]\nenabled = false\n")
        assert not load().discord.on


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434"),
        (":1234", "http://127.0.0.1:1234"),
        ("0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("[::]:1", "http://[::1]:1"),
        ("example.com", "http://example.com:11434"),
        ("https://example.com", "https://example.com:443"),
        ("http://example.com/ollama/", "http://example.com:80/ollama"),
    ],
)
def test_ollama_host_is_understood_as_ollama_does(given: str, used: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", given)
    assert load().ollama.host == used


class TestShippedFiles:
    def test_config_toml_is_what_the_models_say(self) -> None:
        hint = "run `python -m bot.settings.template`"
        assert (ROOT / "config.toml").read_text(encoding="utf-8") == render_config(), hint
        assert (ROOT / ".env.example").read_text(encoding="utf-8") == render_env(), hint

    def test_config_toml_lists_every_setting_that_is_no_secret(self) -> None:
        text = (ROOT / "config.toml").read_text(encoding="utf-8")
        for key in every():
            section = text.partition(f"\n[{'.'.join(key.path[:-1])}]")[2] if key.path[1:] else text
            assert (f"\n#{key.path[-1]} = " in section.split("\n[")[0]) is not key.secret, key.path

    def test_config_toml_says_nothing_while_it_is_commented(self) -> None:
        assert load(ROOT / "config.toml") == Settings()

    def test_config_toml_uncommented_means_the_same(self) -> None:
        text = (ROOT / "config.toml").read_text(encoding="utf-8")
        write(re.sub(r"^#(?=[^ \n])", "", text, flags=re.MULTILINE))
        assert load() == Settings()

    def test_env_example_names_every_secret(self) -> None:
        text = (ROOT / ".env.example").read_text(encoding="utf-8")
        assert re.findall(r"^#(\w+)=$", text, re.MULTILINE) == [variable(key.path) for key in every() if key.secret]


def test_importing_settings_loads_no_platform_and_no_http_client() -> None:
    program = (
        "import sys, bot.settings; print(sorted({'aiohttp', 'discord', 'slack_bolt', 'ollama'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
