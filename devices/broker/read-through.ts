import type { Duplex } from 'node:stream';
import type { Lane } from './lane.ts';
import type { PacketGate } from './packet-gate.ts';

/**
 * aedes takes bytes with one `read()` a turn: what it gets is what the gate lets through of all that is there. It has to be
 * all: from Node 26 on `read()` gives one chunk, and no `readable` comes for those behind it. While the lane is full
 * nothing is read, so that the kernel's buffer fills and the client waits.
 *
 * @param heard called when the gate kept messages for us: the client is alive, although aedes saw nothing of it
 */
export function readThrough(socket: Duplex, gate: PacketGate, lane: Lane, heard: () => void): void {
  const read = socket.read.bind(socket);
  let waiting = false;
  const goOn = () => {
    waiting = false;
    socket.emit('readable');
  };
  socket.read = (size?: number) => {
    const passed: Buffer[] = [];
    const before = gate.taken;
    while (!lane.full) {
      const chunk: Buffer | null = read(size);
      if (chunk === null) break;
      const part = gate.pass(chunk);
      if (part !== null) passed.push(part);
    }
    if (lane.full && !waiting) {
      waiting = true;
      lane.whenRoom(goOn);
    }
    if (gate.taken > before) heard();
    return passed.length > 1 ? Buffer.concat(passed) : (passed[0] ?? null);
  };
}
