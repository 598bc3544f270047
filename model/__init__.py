"""What the network needs: tokenizer, encoder, classifier, training and the exported artifact."""
