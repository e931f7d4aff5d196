import { Aedes, type Client, type PublishPacket } from 'aedes';

type Done = (error?: Error) => void;

/**
 * aedes as a front door rather than an exchange: what a device publishes goes to ingest (in `authorizePublish`, the
 * only hook before the acknowledgement) and nowhere else. Nothing that a device says is routed to other clients, kept
 * as a retained message, or queued for absent sessions; only the product itself publishes through `publish`.
 */
export class FrontDoor extends Aedes {
  /** aedes calls this with the client for what a client sent, and without one for what the broker itself says. */
  override publish(packet: PublishPacket, clientOrDone: Client | Done | null, done?: Done): void {
    if (typeof clientOrDone === 'function') super.publish(packet, clientOrDone);
    else done?.();
  }
}

/**
 * Tells aedes that a client was heard, where the packets went past it: its keep-alive timer begins anew ([MQTT-3.1.2-24]).
 * aedes has no public word for it; a test of the broker holds us to it.
 */
export function stillAlive(client: Client): void {
  const { _keepaliveTimer: timer } = client as unknown as { _keepaliveTimer: NodeJS.Timeout | null };
  timer?.refresh();
}
