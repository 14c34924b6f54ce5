"""The running emulator: its life, its faults, and what happens at Homebox."""

import os
import subprocess
import sys
import threading

import pytest

from homebox_async import (
    AttemptTimeout,
    AuthenticationFailed,
    Billing,
    Homebox,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Retry,
    ServerError,
)
from homebox_async.emulator import Assumed, Emulator, Fault
from homebox_async.testing import RunningEmulator


def test_life() -> None:
    """It runs within its block; what it has seen can be read afterwards."""
    with RunningEmulator(Emulator(assumed=Assumed(create_status=200))) as emulator:
        assert f"<RunningEmulator {emulator.url}>" == repr(emulator)
        with Homebox(emulator.token, base_url=emulator.url) as client:
            client.properties.create(emulator.seed.address())

    assert [200] == [request.status for request in emulator.received]
    assert "<RunningEmulator closed>" == repr(emulator)
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.url


def test_a_port_that_is_taken(homebox_emulator: RunningEmulator) -> None:
    """A port that another one has is an OSError, and no thread stays behind."""
    port = int(homebox_emulator.url.rpartition(":")[2])
    before = threading.active_count()

    with pytest.raises(OSError, match="in use"):
        RunningEmulator(Emulator(port=port)).start()
    assert before == threading.active_count()


def test_threads(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """Many threads may seed while clients write: each row has its own id."""

    def seed() -> None:
        for _ in range(20):
            homebox_emulator.seed.property()

    threads = [threading.Thread(target=seed) for _ in range(4)]
    for thread in threads:
        thread.start()
    sent = {homebox.properties.create(homebox_emulator.seed.address()).id for _ in range(20)}
    for thread in threads:
        thread.join()

    assert 20 == len(sent)
    assert 100 == homebox_emulator.do(lambda emulator: len(emulator.store.properties))


def test_an_application_in_another_process(homebox_emulator: RunningEmulator) -> None:
    """A program that knows Homebox by the environment alone talks to the test's emulator."""
    program = "from homebox_async import *; print(Homebox().properties.get(1).address_line1)"
    home = homebox_emulator.seed.property()

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert f"{home.line1}\n" == done.stdout, done.stderr
    homebox_emulator.assert_received("GET", "/property/1", times=1)


def test_the_environment_hides_real_credentials(
    homebox_emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Billing token of the developer's own never wins over the emulator's user name."""
    monkeypatch.setenv("HOMEBOX_BILLING_TOKEN", "a-real-one")
    for name, value in homebox_emulator.environment.items():
        monkeypatch.setenv(name, value)

    with Billing() as billing:
        assert 3 == len(billing.headers("2eff1042c50c1eda889e61573e3c194c").headers)
    assert "a-real-one" not in str([dict(r.headers) for r in homebox_emulator.received])
    assert {*homebox_emulator.environment} <= {*os.environ}


def test_fail(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """So many requests fail, nothing of them is committed, and the next one is served."""
    homebox_emulator.fail("POST", "/property", status=429, retry_after=0, times=2)

    homebox.properties.create(homebox_emulator.seed.address())

    sent = homebox_emulator.assert_received("POST", "/property", times=3)
    assert [(429, False), (429, False), (201, True)] == [(r.status, r.committed) for r in sent]


def test_fail_of_any_property(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """A path with braces stands for all; without them, for one."""
    homebox_emulator.seed.property()
    homebox_emulator.seed.property()
    homebox_emulator.fail("GET", "/property/{id}", status=418)
    homebox_emulator.fail("GET", "/api/partner/property/2", status=500, times=3)

    with pytest.raises(ServerError):
        homebox.properties.get(2)
    with pytest.raises(Exception, match="418"):
        homebox.properties.get(1)
    assert 1 == homebox.properties.get(1).id


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
def test_drop(homebox_emulator: RunningEmulator, homebox: Homebox, committed: bool) -> None:
    """A dropped write has an unknown outcome, whether or not it was carried out."""
    homebox_emulator.drop("POST", "/property", committed=committed)

    with pytest.raises(OutcomeUnknown):
        homebox.properties.create(homebox_emulator.seed.address())
    assert committed == bool(list(homebox.properties.list()))


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
def test_hang(homebox_emulator: RunningEmulator, committed: bool) -> None:
    """A write that hangs has an unknown outcome; a read is tried again."""
    homebox_emulator.hang("POST", "/property", committed=committed)
    homebox_emulator.hang("GET", "/account", committed=False, times=2)

    with Homebox(timeout=0.2, retry=Retry(attempts=2, backoff=0.0)) as client:
        with pytest.raises(OutcomeUnknown):
            client.properties.create(homebox_emulator.seed.address())
        with pytest.raises(AttemptTimeout):
            client.account.get()
        assert committed == bool(list(client.properties.list()))


def test_slow(homebox_emulator: RunningEmulator) -> None:
    """A slow request is served in the end, unless its client has left."""
    homebox_emulator.slow("GET", "/account", seconds=0.01)
    homebox_emulator.slow("GET", "/account", seconds=60)

    with Homebox(timeout=0.5, retry=Retry(attempts=1)) as client:
        client.account.get()
        with pytest.raises(AttemptTimeout):
            client.account.get()


def test_limit(homebox_emulator: RunningEmulator) -> None:
    """Requests beyond the limit are refused until it is lifted."""
    homebox_emulator.limit(1, per=60)

    with Homebox(retry=Retry(attempts=1)) as client:
        client.account.get()
        with pytest.raises(RateLimited):
            client.account.get()
    homebox_emulator.limit(None)
    with Homebox() as client:
        client.account.get()


def test_script(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """Faults of every kind can be told, one for each request; None is none."""
    homebox_emulator.script("POST", "/property", [None, Fault("garbage")])

    homebox.properties.create(homebox_emulator.seed.address())
    with pytest.raises(OutcomeUnknown):
        homebox.properties.create(homebox_emulator.seed.address())
    assert 2 == len(list(homebox.properties.list()))


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        (
            "POST",
            "/proprety",
            "Homebox has no operation POST /proprety; did you mean POST /property",
        ),
        (
            "DELETE",
            "/property/{id}",
            "Homebox has no operation DELETE /property/{id}; did you mean GET /property/",
        ),
        ("GET", "/billing/zzz", "Homebox has no operation GET /billing/zzz"),
        ("PATCH", "/xxxxxxxxxxxxxxxxxxxxxxx", "Homebox has no operation PATCH /x*$"),
    ],
    ids=["misspelt", "method", "billing", "nothing like it"],
)
def test_a_path_that_is_not_there(
    homebox_emulator: RunningEmulator, method: str, path: str, message: str
) -> None:
    """A fault that could never happen is refused, with the operations that are meant."""
    pattern = message if "$" in message else message.replace("{", r"\{")
    with pytest.raises(ValueError, match=pattern):
        homebox_emulator.fail(method, path, status=500)  # type: ignore[arg-type]


def test_what_happens_at_homebox(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """An order is approved, an invited tenant signs up, payments and payouts are made."""
    order = homebox_emulator.seed.order(active=False)
    someone = homebox_emulator.seed.tenant()
    homebox.invites.create(
        order.id,
        first_name=someone.first_name,
        last_name=someone.last_name,
        phone_number=someone.phone_number,
    )
    [invite] = homebox.invites.list(order.id)
    assert invite.id is not None

    assert 4 == homebox_emulator.activate(order.id).status_id
    payer = homebox_emulator.sign_up(invite.id)
    assert "rejected" == homebox_emulator.set_mandate(payer.id, "rejected").mandate
    taken = homebox_emulator.take_payments(order.id, "failed")
    homebox_emulator.pay_suppliers(order.id)

    assert ["failed", "failed"] == [payment.status for payment in taken]
    assert "rejected" == homebox.mandates.get(order.id, payer.id).status
    assert all(payout.paid_at for payout in homebox.orders.payouts(order.id))
    homebox_emulator.assert_outbox("debit", about=f"payment/{taken[0].id}", times=1)


def test_errors_of_the_api(homebox_emulator: RunningEmulator) -> None:
    """What Homebox refuses, the emulator refuses: rows that are not there, and other tokens."""
    with Homebox() as client, pytest.raises(NotFound):
        client.properties.get(1)
    with Homebox("another-token") as client, pytest.raises(AuthenticationFailed):
        client.account.get()
