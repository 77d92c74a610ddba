"""What a call must not leave behind: a camera that is still on, a connection or a socket that nobody holds any more."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.browsing import Visitors

pytestmark = pytest.mark.django_db(transaction=True)

# Every track that the browser gave, and a gate before the next ones.
WATCH_TRACKS = """
window.given = [];
window.gate = Promise.resolve();
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => {
  await window.gate;
  const stream = await ask(wish);
  window.given.push(...stream.getTracks());
  return stream;
};
"""
SHUT = "() => { window.gate = new Promise((open) => { window.openGate = open; }); }"
OPEN = "() => window.openGate()"
ALIVE = "(kind) => window.given.filter((track) => track.kind === kind && track.readyState === 'live').length"
# Frames for a peer that is gone: built on them, a connection would stay open for ever.
PEER_GOES = """async () => {
  const made = [];
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real { constructor(...all) { super(...all); made.push(this); } };
  const { Mesh } = await import(document.querySelector("script[type=module]").src.replace("call.js", "mesh.js"));
  const me = { id: "a", joined_at: 1 }, other = { id: "b", joined_at: 2 };
  const media = { track: () => null };
  const mesh = new Mesh({ me, iceServers: [], say: () => {}, media, show: () => {} });
  mesh.sync([me, other]);
  mesh.receive("b", { attempt: 1, candidate: null });
  mesh.sync([me]);
  await new Promise((done) => setTimeout(done));
  const open = made.filter((connection) => connection.signalingState !== "closed").length;
  mesh.close();
  return [made.length, open];
}"""
# Left and come back while the ticket is on its way: the first attempt must not open a socket of its own.
TICKET_LATE = """async () => {
  let made = 0;
  const Real = window.WebSocket;
  window.WebSocket = class extends Real { constructor(...all) { super(...all); made += 1; } };
  const { Socket } = await import(document.querySelector("script[type=module]").src.replace("call.js", "socket.js"));
  const gives = [];
  const ticket = () => new Promise((give) => { gives.push(give); });
  const socket = new Socket({ path: "/ws/appel/nulle-part/", ticket, hear: () => {}, change: () => {} });
  socket.open();
  socket.close();
  socket.open();
  for (const give of gives) give("");
  await new Promise((done) => setTimeout(done));
  socket.close();
  return [gives.length, made];
}"""


@pytest.fixture
def door(visitors: Visitors) -> Page:
    """A page before joining, with both devices on."""
    host = factories.agent()
    meeting = factories.meeting(host)
    assert meeting.room is not None
    page = visitors.page_as(host)
    page.add_init_script(WATCH_TRACKS)
    page.goto(f"/visio/{meeting.room.slug}/")
    expect(page.locator("#mirror")).to_have_attribute("data-camera", "on")
    return page


def test_leaving_while_the_camera_starts_leaves_it_off(door: Page) -> None:
    door.locator("#join-button").click()
    expect(door.locator("#call")).to_be_visible()
    camera = door.locator("#call [data-toggle=camera]")
    camera.click()
    expect(camera).to_have_attribute("data-off", "")
    door.evaluate(SHUT)
    camera.click()
    door.locator("#leave").click()
    expect(door.locator("#after")).to_be_visible()
    before = door.evaluate("window.given.length")
    door.evaluate(OPEN)
    door.wait_for_function("(before) => window.given.length > before", arg=before)
    door.wait_for_function(f"() => ({ALIVE})('video') === 0")
    assert door.evaluate(ALIVE, "audio") == 0


def test_an_impatient_second_click_starts_no_second_camera(door: Page) -> None:
    camera = door.locator("#before [data-toggle=camera]")
    camera.click()
    expect(camera).to_have_attribute("data-off", "")
    before = door.evaluate("window.given.length")
    door.evaluate(SHUT)
    camera.click()
    camera.click()
    door.evaluate(OPEN)
    expect(door.locator("#mirror")).to_have_attribute("data-camera", "on")
    assert door.evaluate("window.given.length") == before + 1
    assert door.evaluate(ALIVE, "video") == 1


def test_late_frames_of_somebody_gone_build_no_connection(door: Page) -> None:
    assert door.evaluate(PEER_GOES) == [1, 0]


def test_a_late_ticket_opens_one_socket(door: Page) -> None:
    assert door.evaluate(TICKET_LATE) == [2, 1]
