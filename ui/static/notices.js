// Short words to everybody about what was just done here; they go by themselves.

export const say = (message) => window.Quasar.Notify.create({ message, timeout: 4000, classes: "notice", position: "bottom-left" });
