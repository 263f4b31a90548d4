import { Type, type Static } from "typebox";

export const EventList = Type.Object({
  index: Type.Integer({ description: "The messages are of the events after this one" }),
  messages: Type.Array(Type.String({ description: "category:user:timestamp:JSON" }), { description: "Newest first" }),
  offset: Type.Integer({ description: "The newest of them; the index of the next call" }),
});
export type EventList = Static<typeof EventList>;
