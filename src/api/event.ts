import { Type, type Static } from "typebox";

export const EventList = Type.Object({
  index: Type.Integer({ description: "The messages are of the events after this one" }),
  messages: Type.Array(Type.String({ description: "category:user:timestamp:JSON" }), { description: "Newest first" }),
  offset: Type.Integer({ description: "The newest of them; the index of the next call" }),
});
export type EventList = Static<typeof EventList>;

/** A whole number as text, as a query has it. */
const whole = (description: string) => Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$", description }));

export const EventsQuery = Type.Object({
  index: whole("Only events after this one; without it the latest 20"),
  offset: whole("None after this one"),
});

export const WaitQuery = Type.Object({ duration: whole("Seconds, 60 without it, 3600 at most") });

export const StreamQuery = Type.Object({
  after: Type.Optional(
    Type.String({ maxLength: 15, description: "Only events after this one; Last-Event-ID counts before it" }),
  ),
});
