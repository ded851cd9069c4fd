"""What passes ask of the IR and none of them owns: index expressions, masks, constants, dependences, lifetimes."""
