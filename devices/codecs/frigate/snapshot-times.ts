/**
 * When Frigate's snapshots were taken. The picture comes without a time, the event that announces it comes on another
 * topic, usually just before:
 *
 *   event of camera and label ─▶ announced, for a few seconds
 *   snapshot ─▶ the same bytes as lately?   the same time again: it is a repeat
 *            ─▶ one event announced?        its time, which is thereby used up
 *            ─▶ none, or several            the time of receipt: guessing would change what the picture proves
 *
 * Two pictures of one camera are never given the same time: the second of one moment (two labels in one frame) gets the
 * next free millisecond. What is remembered is kept apart by who sent it, so that nobody sets the times of others, and is
 * bounded; after a restart it is empty, and the first snapshots have the time of receipt.
 */
export interface SnapshotTimes {
  announce(event: Announcement): void;
  of(snapshot: Snapshot): { time: number; timeFrom: 'event' | 'received' };
}

export interface Announcement {
  /** The device that signed in; null: nobody did. */
  sender: string | null;
  /** Address of the camera. */
  camera: string;
  label: string;
  /** Frigate's id of the tracked object. */
  event: string;
  /** Epoch ms, as Frigate states it. */
  time: number;
  /** Epoch ms, by the product's clock. */
  receivedAt: number;
}

export interface Snapshot extends Pick<Announcement, 'sender' | 'camera' | 'label' | 'receivedAt'> {
  /** Of its bytes. */
  hash: string;
}

interface Camera {
  /** Newest last. */
  announced: Announcement[];
  /** Newest last. */
  given: { hash: string; label: string; stated: number; time: number; timeFrom: 'event' | 'received' }[];
}

const MOST_CAMERAS = 5_000;
const MOST_ANNOUNCED = 16;
const MOST_GIVEN = 32;

export function snapshotTimes(eventForMs: number): SnapshotTimes {
  /** By sender and camera; least lately used first. */
  const cameras = new Map<string, Camera>();

  function cameraOf({ sender, camera }: Pick<Announcement, 'sender' | 'camera'>): Camera {
    const key = JSON.stringify([sender, camera]);
    const known = cameras.get(key) ?? { announced: [], given: [] };
    cameras.delete(key);
    cameras.set(key, known);
    const [oldest] = cameras.keys();
    if (cameras.size > MOST_CAMERAS && oldest !== undefined) cameras.delete(oldest);
    return known;
  }

  /** The one event that this snapshot can be of; null when there is none, or more than one. */
  function announcedFor(camera: Camera, { label, receivedAt }: Snapshot): Announcement | null {
    const fresh = camera.announced.filter(
      (one) => one.label === label && Math.abs(receivedAt - one.receivedAt) <= eventForMs,
    );
    const last = fresh.at(-1);
    return last !== undefined && fresh.every((one) => one.event === last.event) ? last : null;
  }

  return {
    announce(event) {
      const camera = cameraOf(event);
      // Of one object the newest word counts; Frigate says the same snapshot's time again with each update.
      const others = camera.announced.filter((one) => one.event !== event.event);
      const told = camera.given.some((one) => one.label === event.label && one.stated === event.time);
      camera.announced = told ? others : [...others, event].slice(-MOST_ANNOUNCED);
    },
    of(snapshot) {
      const { label, hash, receivedAt } = snapshot;
      const camera = cameraOf(snapshot);
      const before = camera.given.find((one) => one.hash === hash);
      if (before !== undefined) return before;
      const event = announcedFor(camera, snapshot);
      const stated = event?.time ?? receivedAt;
      let time = stated;
      while (camera.given.some((one) => one.time === time)) time += 1;
      const timeFrom = event === null ? 'received' : 'event';
      camera.given = [...camera.given, { hash, label, stated, time, timeFrom } as const].slice(-MOST_GIVEN);
      camera.announced = camera.announced.filter((one) => one !== event);
      return { time, timeFrom };
    },
  };
}
