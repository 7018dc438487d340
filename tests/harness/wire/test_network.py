"""The edge reaches providers over the way that the application would take: authorities and proxies."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from llm_contracts.clients.builtin import BUILTIN
from llm_contracts.clients.observe import observe
from llm_contracts.wire.interaction import End
from llm_contracts.wire.proxy.network import DIRECT, EdgeError, Network, network_from, reached_straight
from llm_contracts.wire.proxy.record import RecordSession
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber
from tests.certificates import HOST, RIGHT, WRONG
from tests.harness.clients.own_apis import own_call, recorded_answer
from tests.harness.wire.exchanges import DONE, PUBLIC, ask, text_event
from tests.harness.wire.upstream import Peer, Upstream

_PASSWORD = "proxy-password-0123"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    """A provider's side of TLS, for `localhost`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


def _file_of(authority: trustme.CA, path: Path) -> Path:
    authority.cert_pem.write_to_path(path)
    return path


def _script(peer: Peer) -> None:
    peer.head()
    peer.chunk(text_event("a"))
    peer.chunk(DONE)
    peer.last_chunk()


def _record(edge: Edge, upstream: str, network: Network) -> RecordSession:
    return edge.record(upstream=upstream, public=PUBLIC, scrubber=Scrubber({}), network=network)


def test_a_provider_with_a_private_authority_is_reached_and_its_pieces_kept(
    edge: Edge, authority: trustme.CA, certificate: ssl.SSLContext, tmp_path: Path
) -> None:
    network = network_from({"SSL_CERT_FILE": str(_file_of(authority, tmp_path / "ca.pem"))})
    with Upstream(_script, tls=certificate) as upstream, _record(edge, upstream.origin, network) as session:
        assert ask(session.origin) == text_event("a") + DONE
        (interaction,) = session.interactions()
    assert interaction.response.end is End.COMPLETE
    assert [piece.size for piece in interaction.response.pieces or ()] == [len(text_event("a")), len(DONE)]


@pytest.mark.parametrize("trusted", ["another authority", "the system"])
def test_a_provider_with_an_unknown_authority_is_refused_and_the_way_out_is_named(
    edge: Edge, certificate: ssl.SSLContext, tmp_path: Path, trusted: str
) -> None:
    other = network_from({"SSL_CERT_FILE": str(_file_of(trustme.CA(), tmp_path / "other.pem"))})
    network = DIRECT if trusted == "the system" else other
    with Upstream(_script, tls=certificate) as upstream, _record(edge, upstream.origin, network) as session:
        with pytest.raises(ConnectionResetError):
            ask(session.origin)
        (interaction,) = session.interactions()
        (failure,) = session.failures()
    assert (interaction.response.end, interaction.response.status) == (End.REFUSED, 0)
    assert "certificate" in failure
    assert "Set SSL_CERT_FILE" in failure


@pytest.mark.parametrize("kind", [*RIGHT, *WRONG])
def test_only_the_right_certificate_is_told_anything(edge: Edge, tmp_path: Path, kind: str) -> None:
    authority = trustme.CA()
    network = network_from({"SSL_CERT_FILE": str(_file_of(authority, tmp_path / "ca.pem"))})
    with Upstream(_script, tls=(RIGHT | WRONG)[kind](authority)) as upstream:
        origin = upstream.origin.replace("localhost", HOST)
        with _record(edge, origin, network) as session:
            if kind in RIGHT:
                assert ask(session.origin) == text_event("a") + DONE
            else:
                with pytest.raises(ConnectionResetError):
                    ask(session.origin)
            (interaction,) = session.interactions()
    assert interaction.response.end is (End.COMPLETE if kind in RIGHT else End.REFUSED)
    assert len(upstream.heads) == (kind in RIGHT)


@pytest.mark.parametrize(
    "variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR"]
)
def test_certificates_that_cannot_be_read_are_named_with_their_variable(
    edge: Edge, tmp_path: Path, variable: str
) -> None:
    network = network_from({variable: str(tmp_path / "missing.pem")})
    with pytest.raises(EdgeError, match=rf"{variable} names .*missing\.pem, which cannot be used"):
        _record(edge, "https://provider.example", network)


def test_a_file_without_certificates_is_named(edge: Edge, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(EdgeError, match=r"SSL_CERT_FILE names .*empty\.pem.*holds no certificates"):
        _record(
            edge, "https://provider.example", network_from({"SSL_CERT_FILE": str(tmp_path / "empty.pem")})
        )


def test_a_folder_of_certificates_will_do(
    edge: Edge, authority: trustme.CA, certificate: ssl.SSLContext, tmp_path: Path
) -> None:
    _file_of(authority, tmp_path / f"{_subject_hash(authority)}.0")
    network = network_from({"REQUESTS_CA_BUNDLE": str(tmp_path)})
    with Upstream(_script, tls=certificate) as upstream, _record(edge, upstream.origin, network) as session:
        assert ask(session.origin) == text_event("a") + DONE


def _subject_hash(authority: trustme.CA) -> str:
    """What OpenSSL calls an authority's file in a folder: `openssl x509 -subject_hash`."""
    subject = x509.load_pem_x509_certificate(authority.cert_pem.bytes()).subject
    canonical = x509.Name(
        x509.NameAttribute(part.oid, " ".join(str(part.value).lower().split())) for part in subject
    )
    digest = hashlib.sha1(canonical.public_bytes()[2:]).digest()  # without the head of the sequence
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


class _Proxy:
    """A forward proxy: tunnels, and plain requests passed on as they are, whatever host they name."""

    def __init__(self, goal: str, *, status: str = "200 OK") -> None:
        self._goal = goal.partition("://")[2].partition(":")
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.heads: list[str] = []
        self.origin = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @contextmanager
    def open(self) -> Iterator[_Proxy]:
        thread = threading.Thread(target=self._serve, daemon=True)
        thread.start()
        yield self
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        thread.join(60)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._one(client)

    def _one(self, client: socket.socket) -> None:
        head = client.recv(65536)
        self.heads.append(head.decode())
        is_tunnel = head.startswith(b"CONNECT ")
        if is_tunnel:
            client.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
            if not self._status.startswith("200"):
                return
        with socket.create_connection(("127.0.0.1", int(self._goal[2]))) as provider:
            if not is_tunnel:
                provider.sendall(head)
            back = threading.Thread(target=_pump, args=(provider, client), daemon=True)
            back.start()
            _pump(client, provider)
            back.join(60)


def _pump(source: socket.socket, goal: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            goal.sendall(data)
        goal.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_an_https_provider_is_reached_through_the_proxy_of_the_environment(
    edge: Edge, tmp_path: Path
) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("provider.example").configure_cert(context)
    with Upstream(_script, tls=context) as upstream, _Proxy(upstream.origin).open() as proxy:
        environ = {
            "HTTPS_PROXY": proxy.origin.replace("://", f"://user:{_PASSWORD}@"),
            "SSL_CERT_FILE": str(_file_of(authority, tmp_path / "ca.pem")),
        }
        with _record(edge, "https://provider.example", network_from(environ)) as session:
            assert ask(session.origin) == text_event("a") + DONE
            (interaction,) = session.interactions()
    assert interaction.response.end is End.COMPLETE
    assert proxy.heads[0].startswith("CONNECT provider.example:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic " in proxy.heads[0]
    assert "authorization" not in upstream.heads[0].decode().lower()


def test_a_plain_provider_is_reached_through_the_proxy_of_the_environment(edge: Edge) -> None:
    with (
        Upstream(_script) as upstream,
        _Proxy(upstream.origin).open() as proxy,
        _record(edge, "http://provider.example", network_from({"http_proxy": proxy.origin})) as session,
    ):
        assert ask(session.origin) == text_event("a") + DONE
    assert proxy.heads[0].startswith("POST http://provider.example/v1/chat/completions HTTP/1.1\r\n")


def test_a_proxy_that_refuses_is_named_without_its_password(edge: Edge) -> None:
    with Upstream(_script) as upstream, _Proxy(upstream.origin, status="407 Who are you").open() as proxy:
        environ = {"HTTPS_PROXY": proxy.origin.replace("://", f"://user:{_PASSWORD}@")}
        with _record(edge, "https://provider.example", network_from(environ)) as session:
            with pytest.raises(ConnectionResetError):
                ask(session.origin)
            (interaction,) = session.interactions()
            (failure,) = session.failures()
    assert interaction.response.end is End.REFUSED
    assert "407" in failure
    assert "NO_PROXY" in failure
    assert _PASSWORD not in failure


def test_a_proxy_that_nobody_runs_is_named(edge: Edge) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with _record(edge, "https://provider.example", network_from({"HTTPS_PROXY": address})) as session:
        with pytest.raises(ConnectionResetError):
            ask(session.origin)
        assert "NO_PROXY" in session.failures()[0]
        assert session.interactions()[0].response.end is End.REFUSED


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://a.example", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://a.example", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "https_proxy": "http://q:2"}, "https://a.example", "http://q:2"),
        ({"HTTPS_PROXY": "p:1"}, "https://a.example", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://a.example", None),
        ({"ALL_PROXY": "http://p:1"}, "http://a.example", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b.example,a.example"}, "https://a.example", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example"}, "https://a.example", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "https://a.example", None),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "c.example"}, "https://a.example", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "http://127.0.0.1:80", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://localhost", None),
        ({"HTTP_PROXY": " "}, "http://a.example", None),
    ],
)
def test_which_proxy(environ: dict[str, str], url: str, proxy: str | None) -> None:
    assert network_from(environ).proxy_for(url) == proxy


def test_a_proxy_of_another_kind_is_refused_with_the_way_out(edge: Edge) -> None:
    network = network_from({"ALL_PROXY": "socks5://user:secret@p:1"})
    with pytest.raises(EdgeError, match=r"socks5 proxy for a\.example.*HTTPS_PROXY.*NO_PROXY") as caught:
        _record(edge, "https://a.example", network)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("before", "exempt"),
    [
        ({"HTTP_PROXY": "http://p:1"}, "127.0.0.1,localhost"),
        ({"all_proxy": "http://p:1", "NO_PROXY": "a.example, localhost"}, "a.example,localhost,127.0.0.1"),
        ({"HTTP_PROXY": "http://p:1", "no_proxy": "*"}, "*"),
    ],
)
def test_the_environment_exempts_the_edge_from_its_proxies_while_the_edge_is_open(
    before: dict[str, str], exempt: str
) -> None:
    environ = dict(before)
    with reached_straight(environ):
        assert (environ["NO_PROXY"], environ["no_proxy"]) == (exempt, exempt)
    assert environ == before


def test_an_environment_without_proxies_is_left_alone() -> None:
    environ = {"HOME": "/"}
    with reached_straight(environ):
        assert environ == {"HOME": "/"}


# LiteLLM's proxy takes 7 s of processor time to start; tests/examples/test_migrations.py tries it so, too.
@pytest.mark.parametrize("client", [name for name in BUILTIN if name != "litellm-proxy"])
def test_clients_reach_the_edge_though_the_environment_names_a_proxy(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy of this test is one that nobody runs: whoever asks it fails."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Edge() as edge, edge.replay([recorded_answer(client)]) as session:
        call = own_call(client, session.origin)
        seen = observe(BUILTIN[client], call, name=client, session=session, skip_pauses=True)
    assert [chunk.text for chunk in seen.chunks if chunk.text] == ["Hi"]
