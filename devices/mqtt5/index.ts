/**
 * MQTT 5, for both sides on which we meet it.
 *
 *   publish-tap.ts      takes PUBLISH out of a byte stream (the external broker's connection, and a client's)
 *   socket.ts           a client that speaks MQTT 5, as one that speaks 3.1.1: translate.ts has the packets
 *   protocol-level.ts   which of both a client speaks
 */
export { protocolLevel } from './protocol-level.ts';
export { PublishTap, type TappedPublish } from './publish-tap.ts';
export { Mqtt5Socket } from './socket.ts';
