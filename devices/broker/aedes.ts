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
