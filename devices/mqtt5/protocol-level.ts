import type { Socket } from 'node:net';
import { readFixedHeader } from './publish-packet.ts';

/** Fixed header (at most 5 bytes), length of the protocol's name, `MQTT`, level. */
const ENOUGH = 5 + 2 + 4 + 1;

/**
 * Calls back with the protocol level of the CONNECT that a client begins with (MQTT 5, clause 3.1.2.2), and leaves its
 * bytes to be read; null when it begins with anything else, which is the library's to refuse.
 */
export function protocolLevel(socket: Socket, found: (level: number | null) => void): void {
  let head: Buffer = Buffer.alloc(0);
  const look = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read())
      head = Buffer.concat([head, chunk as Buffer]);
    const level = levelOf(head);
    if (level === 'incomplete' && !socket.readableEnded) return;
    socket.removeListener('readable', look);
    if (head.length > 0) socket.unshift(head);
    found(level === 'incomplete' ? null : level);
  };
  socket.on('readable', look);
}

export function levelOf(head: Buffer): number | null | 'incomplete' {
  if (head.length === 0) return 'incomplete';
  if (head[0] !== 0x10) return null;
  const header = readFixedHeader(head, 0);
  if (header === 'malformed') return null;
  const name = header === 'incomplete' ? ENOUGH : header[0];
  if (head.length < name + 7) return head.length >= ENOUGH ? null : 'incomplete';
  return head.toString('latin1', name + 2, name + 6) === 'MQTT' ? (head[name + 6] ?? null) : null;
}
