exports.answer = function answer() { return 42; };
