import type { DeviceDirectory } from '../../../backbone/index.ts';
import type { Outgoing } from '../../message.ts';
import { speaksFor } from '../../rights.ts';
import { type Codec, type CodecInput, type Decoded, type DecodedOne, rejected } from '../codec.ts';
import {
  type Birth,
  bdSeqOf,
  birthOf,
  type EdgeNode,
  EdgeNodes,
  follow,
  LIMITS,
  STRANGERS,
} from './nodes.ts';
import { readPayload, rebirthRequest, type SparkplugPayload } from './payload.ts';
import { readingsOf, type Speaker } from './readings.ts';
import {
  isSparkplugCommandOrState,
  nodeCommandTopic,
  parseSparkplugTopic,
  type SparkplugTopic,
  sparkplugAddress,
} from './topic.ts';

/**
 * Sparkplug B, as Eclipse Sparkplug 3.0 has it: `spBv1.0/<group>/<type>/<node>[/<device>]`, protobuf.
 *
 *   NBIRTH  session begins, aliases anew    online + readings      NDEATH  of this session: node and devices offline
 *   DBIRTH  a device's aliases              online + readings      DDEATH  offline
 *   NDATA   DDATA                           readings               NCMD DCMD STATE   not for us
 *
 * A gap in the sequence, or data without a birth, asks the node for its births (`send`), now and then. What can be read is
 * taken all the same. Decodes at once, so that a node's messages keep their order. What is remembered is kept apart by who
 * signed in: nobody's births tell what another's aliases mean. Does not: host application STATE, commands to devices.
 */
export interface SparkplugOptions {
  maxInflatedBytes: number;
  devices?: Pick<DeviceDirectory, 'find'>;
}

interface Part {
  device: string;
  decoded: DecodedOne;
}

export function sparkplug(options: SparkplugOptions): Codec {
  const registered = new EdgeNodes(LIMITS);
  const strangers = new EdgeNodes(STRANGERS);

  /** The registry's record; `unasked` when there is no registry to ask. */
  function find(address: string): Speaker['device'] {
    return options.devices === undefined ? 'unasked' : options.devices.find(address);
  }

  function decode(input: CodecInput): Decoded {
    const topic = parseSparkplugTopic(input.address.detail);
    if (topic === null) return notForUs(input);
    const payload = readPayload(input.payload, options.maxInflatedBytes);
    if ('reason' in payload) {
      const decoded = rejected(payload.reason, payload.detail);
      return { kind: 'several', parts: [{ device: addressOf(topic), decoded }] };
    }
    const { type } = topic;
    if (input.again === true) return { kind: 'several', parts: decodeAgain(topic, payload, input) };
    const nodes = roomOf(topic, input);
    const node = nodes.heard(keyOf(topic, input));
    if (type === 'NBIRTH') {
      nodes.beginSession(node, bdSeqOf(payload.metrics), payload.seq);
      return { kind: 'several', parts: birth(topic, payload, nodes.announce(node, '', payload.metrics)) };
    }
    if (type === 'NDEATH') return { kind: 'several', parts: nodeDeath(topic, payload, nodes, node) };
    const gap = follow(node, payload.seq);
    const parts = inSession(topic, payload, nodes, node);
    // A device that is born or dies with this message needs no birth from before.
    const unannounced = type.endsWith('DATA') && !node.births.has(topic.device);
    const ask =
      (gap !== null || unannounced) && mayAsk(topic, input) && nodes.mayAskRebirth(node, input.receivedAt);
    return ask
      ? { kind: 'several', parts, send: [rebirth(topic, input.receivedAt)] }
      : { kind: 'several', parts };
  }

  function inSession(
    topic: SparkplugTopic,
    payload: SparkplugPayload,
    nodes: EdgeNodes,
    node: EdgeNode,
  ): Part[] {
    if (topic.type === 'DBIRTH')
      return birth(topic, payload, nodes.announce(node, topic.device, payload.metrics));
    if (topic.type !== 'DDEATH') return [data(topic, payload, node.births.get(topic.device) ?? null)];
    nodes.forgetBirth(node, topic.device);
    return [offline(addressOf(topic))];
  }

  /** Out of quarantine: what holds now explains it, and it changes nothing of that. */
  function decodeAgain(topic: SparkplugTopic, payload: SparkplugPayload, input: CodecInput): Part[] {
    const { type, device } = topic;
    if (type.endsWith('DEATH')) return [{ device: addressOf(topic), decoded: { kind: 'nothing' } }];
    if (type.endsWith('BIRTH')) {
      const { nameLength, metricsOfNode } = LIMITS;
      return [data(topic, payload, birthOf(payload.metrics, nameLength, metricsOfNode))];
    }
    return [data(topic, payload, roomOf(topic, input).peek(keyOf(topic, input))?.births.get(device) ?? null)];
  }

  function birth(topic: SparkplugTopic, payload: SparkplugPayload, announced: Birth): Part[] {
    const address = addressOf(topic);
    const readings = data(topic, payload, announced);
    // A stranger is reported once a message.
    return find(address) === undefined ? [readings] : [online(address), readings];
  }

  function data(topic: SparkplugTopic, payload: SparkplugPayload, birth: Birth | null): Part {
    const device = addressOf(topic);
    const born = topic.type.endsWith('BIRTH');
    return { device, decoded: readingsOf(payload, { birth, born, device: find(device) }) };
  }

  /** With the node go all its devices. The death of an earlier session, come late, means nothing to this one. */
  function nodeDeath(
    topic: SparkplugTopic,
    payload: SparkplugPayload,
    nodes: EdgeNodes,
    node: EdgeNode,
  ): Part[] {
    const address = addressOf(topic);
    const bdSeq = bdSeqOf(payload.metrics);
    if (node.born && node.bdSeq !== null && bdSeq !== null && node.bdSeq !== bdSeq) {
      return [{ device: address, decoded: { kind: 'nothing' } }];
    }
    const devices = [...node.births.keys()].filter((device) => device !== '');
    const addresses = [
      address,
      ...devices.map((device) => sparkplugAddress(topic.group, topic.node, device)),
    ];
    nodes.endSession(node);
    const known = addresses.filter((one) => find(one) !== undefined);
    return (known.length > 0 ? known : [address]).map(offline);
  }

  /** At the word of one that has no right to speak for the node, it is not asked for anything. */
  function mayAsk(topic: SparkplugTopic, input: CodecInput): boolean {
    return find(sparkplugAddress(topic.group, topic.node)) === undefined || isTheirs(topic, input);
  }

  function roomOf(topic: SparkplugTopic, input: CodecInput): EdgeNodes {
    return isTheirs(topic, input) ? registered : strangers;
  }

  /** The node is registered, and whoever says so may speak for it. */
  function isTheirs({ group, node }: SparkplugTopic, { sender }: CodecInput): boolean {
    const device = find(sparkplugAddress(group, node));
    return device !== undefined && (sender == null || device === 'unasked' || speaksFor(sender, device));
  }

  return {
    name: 'sparkplug',
    match(topic) {
      // The registry is asked by the payload's parts: a message of a node that is not registered counts in the sequence, too.
      if (parseSparkplugTopic(topic) === null && !isSparkplugCommandOrState(topic)) return null;
      return { device: null, kind: 'readings', detail: topic };
    },
    decode,
  };
}

/** Commands and STATE come by where the product reads a whole broker. A device has none to give. */
function notForUs({ sender }: CodecInput): Decoded {
  if (sender == null) return { kind: 'several', parts: [] };
  return rejected('topic-unknown', 'topic: a command or STATE found; births, data and deaths are allowed');
}

function keyOf({ group, node }: SparkplugTopic, { sender }: CodecInput): string {
  return `${sender ?? ''}/${group}/${node}`;
}

function addressOf({ group, node, device }: SparkplugTopic): string {
  return sparkplugAddress(group, node, device);
}

function online(device: string): Part {
  return { device, decoded: { kind: 'status', status: 'online' } };
}

function offline(device: string): Part {
  return { device, decoded: { kind: 'status', status: 'offline' } };
}

function rebirth({ group, node }: SparkplugTopic, now: number): Outgoing {
  return { topic: nodeCommandTopic(group, node), payload: rebirthRequest(now) };
}
