/**
 * Pictures of street cameras, rendered, with the truth of what is on them.
 *
 * What it promises: the same scene and seed give the same pixels; truth comes from geometry and never from a model; a
 * picture takes about 20 ms. What it does not promise: that a model which is good on these pictures is good on a street.
 *
 *   story ──sceneAt(time)──▶ SceneState ──renderScene(seed)──▶ { jpeg, truth }
 *
 * 1. `viewOf('cam-01')`         a camera and its street (any name or number; cam-01…03 are the demonstration's)
 * 2. `fireLaneZone(view)`       its fire lane as a polygon in fractions of the picture: for `zones` of devices.yaml
 * 3. `sceneAt(story, time)`     who is where at that moment: a pure function, ask for any time in any order
 * 4. `renderScene(scene, seed)` the JPEG (640 × 360) and the boxes on it
 * 5. `picture(story, time)`     3 and 4 in one, the seed made of story and time
 * 6. `stays(story)`             the truth over time: who stood in the fire lane, from when to when
 *
 * How to play a camera (all times epoch ms of the simulated clock):
 *
 *   const story: Story = {
 *     view: 'cam-01', seed: 7, utcOffsetMs: 8 * 3_600_000,
 *     weather: 'clear',
 *     trafficPerMin: 6,        // vehicles that pass on the carriageway
 *     walkersPerMin: 4,        // people on the pavements and across the street
 *     shortcutsPerMin: 0.3,    // vehicles that drive through the fire lane without stopping (not a violation)
 *     caption: 'CAM-01',
 *     stays: [{ id: 'v1', class: 'truck', place: 'fire-lane', from: t0 + 20 * 60_000, to: t0 + 50 * 60_000 }],
 *   };
 *   const { jpeg, truth } = await picture(story, time);
 *   mqtt.publish(`v1/devices/cam-01/frames/${time}`, jpeg);
 *
 * `from` is the moment at which the vehicle stands, `to` the one at which it pulls away; it is seen arriving in the
 * seconds before and leaving in those after. Places: `fire-lane` (forbidden), `kerb` (parking on the other side of the
 * street, allowed). A person may stay too: someone who stands in the lane is no vehicle in it.
 */

export { renderScene } from './render.ts';
export { picture, type Stay, type Story, sceneAt, stays } from './story.ts';
export type * from './types.ts';
export { fireLaneZone, viewOf } from './view.ts';
